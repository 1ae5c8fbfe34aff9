"""The mutual information gap: is there one latent that knows a factor, and no second one?"""

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.metrics.base import BINS, Samples, Score, beside_the_ideal, check_samples, cut


def mig(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool | list[int] = False,
    bins: int = BINS,
    bootstrap: int = 0,
    seed: int = 0,
) -> Score:
    """The mutual information gap of Chen et al. (2018), section 4.1, equation 6.

    For each factor, the mutual information with the latent that knows it best, less that with the
    second best, in units of the factor's entropy; the mean over factors. Latents, and factors that
    are continuous, are cut into bins of equal width, as in Locatello et al. (2019). The estimate is
    plug-in, so it is too high where samples are few.

    Args:
        codes: Means of the posterior [N, D], D at least 2.
        factors: [N, F], F at least 2; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        bins: Of equal width between the smallest and the largest value.
        bootstrap: Resamplings for a 95 % interval; 0 for none.
        seed: Of the resamplings.

    Returns:
        In [0, 1], with ceiling and turned ideal. The ceiling of a factor with more values than
        there are bins is below 1.

    Raises:
        ValueError: See `check_samples`; or fewer than 2 bins.

    Example:
        >>> shapes, colors = np.divmod(np.arange(900) % 9, 3)
        >>> factors = np.stack([shapes, colors], 1)
        >>> score = mig(codes=factors, factors=factors)
        >>> round(score.value, 6), round(score.ceiling, 6)
        (1.0, 1.0)
    """
    if bins < 2:
        raise ValueError(f"bins is {bins}; there must be at least 2")
    samples = check_samples(codes, factors, continuous)

    def gap(samples: Samples) -> np.ndarray:
        labels = np.stack([cut(latent, bins) for latent in samples.codes.T], 1)
        classes = samples.classes(bins)
        information = mutual_information(labels, classes)  # [D, F]
        entropy = np.diagonal(mutual_information(classes, classes))  # [F]
        second, first = np.sort(information, 0)[-2:]
        return np.mean((first - second) / entropy, keepdims=True)

    (score,) = beside_the_ideal(gap, samples, bootstrap, seed)
    return score


def mutual_information(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mutual information of every two columns, in nats.

    Args:
        first: Classes [N, D]: numbers 0, 1, …
        second: Classes [N, F].

    Returns:
        [D, F].
    """
    return np.array([[_information(a, b) for b in second.T] for a in first.T])


def _information(first: np.ndarray, second: np.ndarray) -> float:
    width = second.max() + 1
    cells = np.bincount(first * width + second, minlength=(first.max() + 1) * width)
    joint = cells.reshape(-1, width) / len(first)
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return float(np.sum(joint[seen] * np.log(joint[seen] / independent[seen])))
