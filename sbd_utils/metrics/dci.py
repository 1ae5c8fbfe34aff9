"""DCI: does each latent serve one factor, each factor one latent, and is everything known?"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.metrics.base import Samples, Score, beside_the_ideal, check_samples


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

    Gradient-boosted trees predict each factor from all latents, with scikit-learn's defaults, as in
    Locatello et al. (2019); how much each latent contributes to the trees is its importance. They
    are fitted to the first two thirds of the samples. Where Locatello et al. treat every factor as
    classes, one that is named as continuous has a regression here.

    Args:
        codes: Means of the posterior [N, D], D at least 2, in random order.
        factors: [N, F], F at least 2; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        bootstrap: Resamplings for 95 % intervals; 0 for none. Each fits all trees anew.
        seed: Of the resamplings, and of ties between latents in the trees.

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
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # growing a tree holds no lock
        numbers = range(samples.factors.shape[1])
        results = list(threads.map(lambda number: _one_factor(samples, number, seed), numbers))
    importances, known = zip(*results, strict=True)
    return np.stack(importances, 1), np.array(known)


def _one_factor(samples: Samples, number: int, seed: int) -> tuple[np.ndarray, float]:
    # A second to import, and only this needs it.
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

    quantity = samples.continuous[number]
    fitted, held_out = samples.halves()
    kind = GradientBoostingRegressor if quantity else GradientBoostingClassifier
    trees = kind(random_state=seed)
    trees.fit(fitted.codes, fitted.factors[:, number])
    known = trees.score(held_out.codes, held_out.factors[:, number])  # R² or accuracy
    return trees.feature_importances_, float(known)
