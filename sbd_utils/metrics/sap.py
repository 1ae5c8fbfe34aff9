"""The SAP score: is there one latent from which a factor can be predicted, and no second one?"""

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.metrics.base import Samples, Score, beside_the_ideal, check_samples, standardized


def sap(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool | list[int] = False,
    bootstrap: int = 0,
    seed: int = 0,
) -> Score:
    """Separated attribute predictability of Kumar et al. (2018), section 3.

    How well each latent alone predicts a factor; for each factor the best latent less the second
    best; the mean over factors. A continuous factor is predicted by a straight line, scored by R².
    One with classes is predicted by a linear support vector machine (C = 0.01, classes weighted to
    be balanced, as in Locatello et al. 2019), fitted to the first two thirds of the samples and
    scored by its accuracy on the rest. Unlike there, latents are first brought to variance 1, since
    the machine's penalty depends on the scale.

    Args:
        codes: Means of the posterior [N, D], D at least 2, in random order.
        factors: [N, F], F at least 2; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        bootstrap: Resamplings for a 95 % interval; 0 for none.
        seed: Of the resamplings.

    Returns:
        In [0, 1], with ceiling and turned ideal.

    Raises:
        ValueError: See `check_samples`; or a class that is missing among the fitted samples.
    """
    samples = check_samples(codes, factors, continuous)
    _check_order(samples)

    def gap(samples: Samples) -> np.ndarray:
        known = _predictability(samples._replace(codes=standardized(samples.codes)))  # [D, F]
        second, first = np.sort(known, 0)[-2:]
        return np.mean(first - second, keepdims=True)

    (score,) = beside_the_ideal(gap, samples, bootstrap, seed)
    return score


def _check_order(samples: Samples) -> None:
    """Refuse classes that none of the fitted samples has: they cannot be predicted."""
    fitted, held_out = samples.halves()
    for number, quantity in enumerate(samples.continuous):
        missing = set(held_out.factors[:, number]) - set(fitted.factors[:, number])
        if missing and not quantity:
            value = f"factors column {number} has {min(missing):g}"
            where = "only in the last third of the samples"
            raise ValueError(f"{value} {where}; samples must come in random order: shuffle them")


def _predictability(samples: Samples) -> np.ndarray:
    """[D, F]: R² of continuous factors, accuracy of the others, from each latent alone."""
    columns = []
    for number, quantity in enumerate(samples.continuous):
        one = _line if quantity else _machine
        columns.append(one(samples, number))
    return np.stack(columns, 1)


def _line(samples: Samples, number: int) -> np.ndarray:
    """R² [D] of the straight line from each latent: the squared correlation."""
    factor = standardized(samples.factors[:, [number]])[:, 0]
    return np.square(samples.codes.T @ factor / len(factor))


def _machine(samples: Samples, number: int) -> np.ndarray:
    """Held-out accuracy [D] of the linear machine on each latent."""
    from sklearn.svm import LinearSVC  # a second to import, and only this needs it

    fitted, held_out = samples.halves()
    values = np.unique(samples.factors[:, number])  # classes may have any numbers for names
    classes, truth = (
        np.searchsorted(values, part.factors[:, number]) for part in (fitted, held_out)
    )
    accuracies = []
    for latent in range(samples.codes.shape[1]):
        machine = LinearSVC(C=0.01, class_weight="balanced", random_state=0)
        machine.fit(fitted.codes[:, [latent]], classes)
        predicted = machine.predict(held_out.codes[:, [latent]])
        accuracies.append(np.mean(predicted == truth))
    return np.array(accuracies)
