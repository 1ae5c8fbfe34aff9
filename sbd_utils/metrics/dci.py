"""DCI: does each latent serve one factor, each factor one latent, and is everything known?"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.metrics.base import Samples, Score, beside_the_ideal, check_samples

TREES = {
    "max_iter": 100,
    "learning_rate": 0.1,
    "max_depth": 3,
    "max_leaf_nodes": None,
    "min_samples_leaf": 1,
    "early_stopping": False,
}
"""As in Locatello et al. (2019), who take the defaults of scikit-learn's exact trees."""


class DCI(NamedTuple):
    """The three scores of `dci`."""

    disentanglement: Score
    """Whether each latent is important for a single factor."""
    completeness: Score
    """Whether a single latent is important for each factor."""
    informativeness: Score
    """How well the factors are predicted from all latents: accuracy, or R² of continuous ones."""


def dci(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool | list[int] = False,
    bootstrap: int = 0,
    seed: int = 0,
) -> DCI:
    """Disentanglement, completeness and informativeness of Eastwood and Williams (2018), section 2.

    Gradient-boosted trees predict each factor from all latents; how much the splits on a latent
    reduce the squared error is its importance. They are fitted to the first two thirds of the
    samples: a hundred trees of depth 3, rate 0.1, as in Locatello et al. (2019). Unlike there,
    splits are sought among 255 quantiles of a latent and not among all its values, which takes a
    tenth of the time; each class is predicted as a quantity that is 0 or 1, and the largest wins;
    and a factor that is named as continuous is one quantity, where they have classes only. Of two
    latents that split alike the first is taken, so that an exact copy has no importance; theirs
    draw lots.
    `pretrained/evidence/score_agreement.csv` says by how much that moves the scores of classes.

    Args:
        codes: Means of the posterior [N, D], D at least 2, in random order.
        factors: [N, F], F at least 2; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        bootstrap: Resamplings for 95 % intervals; 0 for none. Each fits all trees anew.
        seed: Of the resamplings.

    Returns:
        Three scores, each in [0, 1], with ceiling and turned ideal; informativeness may fall below
        0, if the trees do worse than the mean.

    Raises:
        ValueError: See `check_samples`.
    """
    samples = check_samples(codes, factors, continuous)

    def three(samples: Samples) -> np.ndarray:
        importance, known = _trees(samples, seed)
        return np.array([disentanglement(importance), completeness(importance), known.mean()])

    return DCI(*beside_the_ideal(three, samples, bootstrap, seed))


def disentanglement(importance: np.ndarray) -> float:
    """One less the entropy of each latent's importance over factors, weighted by importance.

    Args:
        importance: [D, F], not negative. All 0 scores 0.
    """
    per_latent = 1 - _entropy(importance)
    return float(np.average(per_latent, weights=_weights(importance)))


def completeness(importance: np.ndarray) -> float:
    """One less the entropy of each factor's importance over latents, weighted by importance.

    Args:
        importance: [D, F], not negative. All 0 scores 0.
    """
    return disentanglement(importance.T)


def _entropy(rows: np.ndarray) -> np.ndarray:
    """Entropy of each row of [R, C], in units of that of C equal shares; 1 for a row of zeros."""
    shares = rows + 1e-11
    shares = shares / shares.sum(1, keepdims=True)
    return -np.sum(shares * np.log(shares), 1) / np.log(rows.shape[1])


def _weights(rows: np.ndarray) -> np.ndarray:
    total = rows.sum(1)
    return total if total.any() else np.ones_like(total)


def _trees(samples: Samples, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Importance [D, F] of latents for factors, and how well each factor [F] is predicted."""
    numbers = range(samples.factors.shape[1])
    importances, known = zip(*(_one_factor(samples, n, seed) for n in numbers), strict=True)
    return np.stack(importances, 1), np.array(known)


def _one_factor(samples: Samples, number: int, seed: int) -> tuple[np.ndarray, float]:
    """Importance [D] of latents for a factor, adding up to 1 or 0; R² or accuracy, held out."""
    # A second to import, and only this needs it.
    from sklearn.ensemble import HistGradientBoostingRegressor

    fitted, held_out = samples.halves()
    factor = fitted.factors[:, number]
    classes = np.unique(factor)
    targets = [factor] if samples.continuous[number] else [factor == one for one in classes]
    gain = np.zeros(samples.codes.shape[1])
    predicted = []
    for target in targets:
        trees = HistGradientBoostingRegressor(**TREES, random_state=seed)
        trees.fit(fitted.codes, target.astype(float))
        gain += _gain(trees, len(gain))
        predicted.append(trees.predict(held_out.codes))
    importance = gain / gain.sum() if gain.any() else gain
    truth = held_out.factors[:, number]
    if samples.continuous[number]:
        return importance, _r2(truth, predicted[0])
    return importance, float(np.mean(classes[np.argmax(predicted, 0)] == truth))


def _gain(trees: Any, num_latents: int) -> np.ndarray:
    """By how much the splits on each latent [D] reduce the squared error.

    As shares it is what scikit-learn's exact trees call `feature_importances_`. Those over
    quantiles do not offer it, but their nodes hold it.
    """
    gain = np.zeros(num_latents)
    for (tree,) in trees._predictors:
        splits = tree.nodes[tree.nodes["is_leaf"] == 0]
        np.add.at(gain, splits["feature_idx"], splits["gain"])
    return gain


def _r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    residual = np.square(truth - predicted).sum()
    return float(1 - residual / np.square(truth - truth.mean()).sum())
