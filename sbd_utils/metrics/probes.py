"""What a regression can read off a code."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Probe(NamedTuple):
    """What straight maps from latents to factors know; see `linear_probe`.

    Each is at most 1; below 0 is worse than guessing the mean.
    """

    pair: float
    """Held-out R² from the chosen latents."""
    all: float
    """From all latents."""
    rest: float
    """From the latents that were not chosen."""


def linear_probe(z: ArrayLike, factors: ArrayLike, pair: Iterable[int]) -> Probe:
    """How much of the factors a linear regression reads off chosen latents, all, and the rest.

    Args:
        z: Codes [N, z_dim].
        factors: [N, F].
        pair: Numbers of the chosen latents.

    Returns:
        Three values of `held_out_r2`.

    Raises:
        ValueError: pair does not name some of 0 … z_dim - 1, or nothing is left over.
    """
    z = np.asarray(z, dtype=np.float64)
    latents = set(range(z.shape[-1]))
    chosen = {int(latent) for latent in pair}
    rest = latents - chosen
    if not chosen or not rest or not chosen <= latents:
        wanted = f"some, not all, of the latents 0 ... {len(latents) - 1}"
        raise ValueError(f"pair is {pair}; it must name {wanted}")
    return Probe(
        pair=held_out_r2(z[:, sorted(chosen)], factors),
        all=held_out_r2(z, factors),
        rest=held_out_r2(z[:, sorted(rest)], factors),
    )


def held_out_r2(z: ArrayLike, factors: ArrayLike) -> float:
    """R² of least squares from codes to factors, the smallest of the factors' values.

    Fitted to the first half of the samples and scored on the second, so they must come in random
    order. Not clipped: a fit that does worse than the mean scores below 0.

    Args:
        z: Codes [N, D].
        factors: [N, F].

    Raises:
        ValueError: Fewer than 2 (D + 2) samples, unequal numbers of them, or a factor that does not
            vary in the second half.
    """
    z, factors = _halves_checked(z, factors)
    half = len(z) // 2
    inputs = np.concatenate([z, np.ones((len(z), 1))], 1)  # [N, D + 1]
    weights = np.linalg.lstsq(inputs[:half], factors[:half], rcond=None)[0]
    return _worst_r2(factors[half:], inputs[half:] @ weights)


def neighbor_r2(z: ArrayLike, factors: ArrayLike, neighbors: int = 5) -> float:
    """R² of nearest neighbours in the code: what a map that need not be straight can read off it.

    The factors of a sample are guessed to be the mean of those of the codes nearest to its own, by
    Euclidean distance, with the latents as they are: one that is silent hardly varies, and so
    hardly counts. The neighbours are of the first half of the samples, the second half is scored.

    Args:
        z: Codes [N, D].
        factors: [N, F].
        neighbors: How many are averaged.

    Returns:
        The smallest of the factors' R², not clipped, as `held_out_r2`.

    Raises:
        ValueError: As `held_out_r2`; or the first half has fewer samples than neighbors.
    """
    z, factors = _halves_checked(z, factors)
    half = len(z) // 2
    if not 1 <= neighbors <= half:
        raise ValueError(f"neighbors is {neighbors}; it must be from 1 to {half}, half the samples")
    known, asked = z[:half], z[half:]
    distance = np.square(asked[:, None] - known[None]).sum(2)  # [asked, known]
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :neighbors]
    guess = factors[nearest].mean(1)  # [asked, F]
    return _worst_r2(factors[half:], guess)


def _halves_checked(z: ArrayLike, factors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Codes and factors in double precision; raises ValueError, see `held_out_r2`."""
    z = np.asarray(z, dtype=np.float64)
    factors = np.asarray(factors, dtype=np.float64)
    if z.ndim != 2 or factors.ndim != 2 or len(z) != len(factors):
        shapes = f"z has shape {list(z.shape)} and factors {list(factors.shape)}"
        raise ValueError(f"{shapes}; they must be [N, D], [N, F]")
    needed = 2 * (z.shape[1] + 2)
    if len(z) < needed:
        raise ValueError(f"z has {len(z)} samples of {z.shape[1]} numbers; needed are {needed}")
    return z, factors


def _worst_r2(target: np.ndarray, prediction: np.ndarray) -> float:
    """The smallest R² of the columns of [N, F]."""
    residual = np.square(target - prediction).sum(0)  # [F]
    total = np.square(target - target.mean(0)).sum(0)
    if (total == 0).any():
        flat = "factors holds a column that does not vary in its second half"
        raise ValueError(f"{flat}: there is nothing to explain")
    return float((1 - residual / total).min())
