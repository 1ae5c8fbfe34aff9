"""The checks of the exercises of notebook 07: a gap, a ceiling, a turn, an interval."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.checks.kit import (
    as_array,
    call,
    expect,
    is_array,
    is_number,
    parts,
    same,
    solved,
    unwritten,
)

BINS = 20
"""Of a latent and of a factor, as in the notebook."""


def information_gap(gap: Callable[[Any, Any], Any]) -> None:
    """Check a function that gives MIG of mutual information [D, F] and entropies [F].

    Args:
        gap: The student's.
    """
    cases = [
        (np.array([[1.0, 0.1], [0.4, 0.6]]), np.array([2.0, 0.7])),
        (np.array([[1.0, 0.2], [0.4, 0.6], [0.3, 0.1]]), np.array([2.0, 0.5])),
        (np.array([[0.9, 0.1, 0.0], [0.9, 0.3, 0.7]]), np.array([1.0, 0.6, 1.4])),
    ]
    for known, entropy in cases:
        answer = call(gap, known=known, entropy=entropy)
        if unwritten(answer):
            return
        by_factor, by_latent = np.sort(known, 0), np.sort(known, 1)
        differences = by_factor[-1] - by_factor[-2]
        mistakes = {
            "this is what the best latents know; take off what the second best know.": np.mean(
                by_factor[-1] / entropy
            ),
            "this is in nats; divide by each factor's entropy.": differences.mean(),
            "each gap is divided by its own factor's entropy, before the mean.": (
                differences.mean() / entropy.mean()
            ),
            "this is the best less the worst; the second best is asked for.": np.mean(
                (by_factor[-1] - by_factor[0]) / entropy
            ),
        }
        if known.shape[0] == known.shape[1]:  # else such an answer fails by itself
            wrong_way = np.mean((by_latent[:, -1] - by_latent[:, -2]) / entropy)
            mistakes["the gap is between latents: sort each column, not each row."] = wrong_way
        right = np.mean(differences / entropy)
        same(is_number(answer, "the gap"), right, "the gap", mistakes)
    solved("the information gap")


def ceiling_of_bins(answer: Any, values: int, bins: int) -> None:
    """Check the ceiling of MIG for a factor of evenly spaced values that is cut into fewer bins.

    Args:
        answer: The student's.
        values: Of the factor, from `bins` to twice as many.
        bins: Of the latent.
    """
    if unwritten(answer):
        return
    crowded = 2 * (values - bins)  # values that share a bin with another
    right = 1 - crowded / values * math.log(2) / math.log(values)
    mistakes = {
        "this is full; some values share a bin, and cannot be told apart.": 1.0,
        "these are the entropies' ratio; a crowded bin costs one bit, the others nothing.": (
            math.log(bins) / math.log(values)
        ),
        "count the values that share a bin, not the bins: each of them lacks a bit.": (
            1 - crowded / 2 / values * math.log(2) / math.log(values)
        ),
        "this is what is missing; the ceiling is one less that.": 1 - right,
    }
    same(is_number(answer, "the ceiling"), right, "the ceiling", mistakes, 1e-3)
    solved("the ceiling")


def turned_back(upright: Any, codes: ArrayLike, factors: ArrayLike) -> None:
    """Check codes of which a pair of latents was turned so that each follows one factor.

    Args:
        upright: The student's [N, D].
        codes: As they were.
        factors: [N, 2].
    """
    if unwritten(upright):
        return
    before, factors = as_array(codes), as_array(factors)
    is_array(upright, before.shape, "upright")
    pair = np.argsort(before.var(0))[-2:]
    others = np.delete(np.arange(before.shape[1]), pair)
    kept = np.allclose(upright[:, others], before[:, others], atol=1e-6)
    expect(kept, "only the two latents that vary most are to be turned; another has changed.")
    now, then = (np.linalg.norm(np.diff(z[:, pair], axis=0), axis=1) for z in (upright, before))
    expect(
        np.allclose(now, then, rtol=1e-3, atol=1e-6),
        "distances between codes have changed: a turn keeps them. (No scale, no affine map.)",
    )
    r2 = np.square(np.corrcoef(upright[:, pair].T, factors.T)[:2, 2:])  # [latent, factor]
    best = r2.max(1).min()
    worse = f"a latent of the pair follows its coordinate with an R² of {best:.2f} only"
    expect(best > 0.98, f"{worse}: is the angle the fitted one, with its sign turned round?")
    solved("turned back")


def interval_of_noisy(interval: Any, codes: ArrayLike, factors: ArrayLike) -> None:
    """Check a 95 % bootstrap interval of MIG.

    Args:
        interval: The student's: both ends.
        codes: [N, D].
        factors: [N, F], quantities.
    """
    if unwritten(interval):
        return
    low, high = parts(interval, 2, "the interval has two ends.")
    low, high = is_number(low, "the lower end"), is_number(high, "the upper end")
    expect(low < high, f"the lower end, {low:.3f}, must be below the upper one, {high:.3f}.")
    codes, factors = as_array(codes), as_array(factors)
    value = _mig(codes, factors)
    generator = np.random.default_rng(0)
    draws = []
    for _ in range(100):
        chosen = generator.integers(len(codes), size=len(codes))
        draws.append(_mig(codes[chosen], factors[chosen]))
    bottom, top = np.quantile(draws, [0.025, 0.975])
    right, plain = (2 * value - top, 2 * value - bottom), (bottom, top)
    off = abs(low - right[0]) + abs(high - right[1])
    as_drawn = abs(low - plain[0]) + abs(high - plain[1])
    expect(
        not (off > 0.04 and as_drawn < 0.02),
        "these are quantiles of resampled values, which are too high; mirror them about the value.",
    )
    wanted = f"{right[0]:.2f} to {right[1]:.2f}"
    expect(off < 0.04, f"{low:.2f} to {high:.2f} where about {wanted} is right.")
    solved("the interval")


def _mig(codes: np.ndarray, factors: np.ndarray) -> float:
    known = np.array([[_information(z, v) for v in factors.T] for z in codes.T])
    entropy = np.array([_information(v, v) for v in factors.T])
    second, first = np.sort(known, 0)[-2:]
    return float(np.mean((first - second) / entropy))


def _information(first: np.ndarray, second: np.ndarray) -> float:
    cells, _, _ = np.histogram2d(first, second, BINS)
    joint = cells / cells.sum()
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return float(np.sum(joint[seen] * np.log(joint[seen] / independent[seen])))
