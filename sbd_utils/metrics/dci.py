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
    reduce the loss is its importance. They are fitted to the first two thirds of the samples. As in
    Locatello et al. (2019): a hundred trees of depth 3, rate 0.1. Unlike there, splits are sought
    among 255 quantiles of a latent and not among all its values, which takes a tenth of the time;
    and a factor that is named as continuous has a regression, where they have classes only.
    `pretrained/evidence/score_agreement.csv` says by how much that moves the scores.

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
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    quantity = samples.continuous[number]
    fitted, held_out = samples.halves()
    kind = HistGradientBoostingRegressor if quantity else HistGradientBoostingClassifier
    trees = kind(**TREES, random_state=seed)
    trees.fit(fitted.codes, fitted.factors[:, number])
    known = trees.score(held_out.codes, held_out.factors[:, number])
    return _importance(trees, samples.codes.shape[1]), float(known)


def _importance(trees: Any, num_latents: int) -> np.ndarray:
    """By how much the splits on each latent [D] reduce the loss, as shares; all 0 without splits.

    For a regression it is `feature_importances_` of scikit-learn's exact trees, which those over
    quantiles do not offer; their nodes have it.
    """
    gain = np.zeros(num_latents)
    for grown in trees._predictors:  # [trees][classes]
        for tree in grown:
            splits = tree.nodes[tree.nodes["is_leaf"] == 0]
            np.add.at(gain, splits["feature_idx"], splits["gain"])
    total = gain.sum()
    return gain / total if total > 0 else gain
