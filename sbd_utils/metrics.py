"""Scores from codes and factors: arrays in, numbers out."""

from typing import NamedTuple

import numpy as np


class Geometry(NamedTuple):
    """How faithfully a code keeps the plane; see `fit_geometry`."""

    affine_r2: float
    """R² of the best affine map, the smaller of the two coordinates' values, in [0, 1]."""
    similarity_r2: float
    """The same for the best similarity: rotation or reflection, one scale, shift."""
    angle: float
    """Rotation of the best similarity in degrees, in (-180, 180]; turns the first axis towards the second."""
    reflected: bool
    """Whether the best similarity first flips the sign of y."""
    scale: float
    """Scale of the best similarity, units of z per unit of xy."""
    affine: np.ndarray
    """[3, 2]; `[x, y, 1] @ affine` is the affine prediction of z."""
    similarity: np.ndarray
    """[3, 2], likewise for the similarity."""


def fit_geometry(xy, z) -> Geometry:
    """Score how well positions xy [N, 2] (pixels) explain codes z [N, 2] by a straight map.

    Least squares for the affine map; orthogonal Procrustes (Schönemann 1966, with scale) for the similarity.
    A coordinate of z that is constant scores 0: there is no variance to explain.
    Raises ValueError for other shapes, fewer than 3 points, numbers that are not finite, or points of xy on a line.
    """
    xy, z = _pairs("xy", xy), _pairs("z", z)
    if len(xy) != len(z) or len(xy) < 3:
        raise ValueError(f"xy has {len(xy)} and z has {len(z)} points; both need the same number, at least 3")
    ones = np.concatenate([xy, np.ones((len(xy), 1))], 1)  # [N, 3]
    if np.linalg.matrix_rank(ones) < 3:
        raise ValueError("xy lies on a line; the fit needs points that span the plane")
    affine = np.linalg.lstsq(ones, z, rcond=None)[0]

    center_xy, center_z = xy.mean(0), z.mean(0)
    u, stretch, vt = np.linalg.svd((xy - center_xy).T @ (z - center_z))
    turn = u @ vt  # [2, 2] orthogonal; row vectors are multiplied from the left
    scale = stretch.sum() / np.square(xy - center_xy).sum()
    similarity = np.vstack([scale * turn, center_z - scale * center_xy @ turn])
    return Geometry(
        affine_r2=_r2(z, ones @ affine),
        similarity_r2=_r2(z, ones @ similarity),
        angle=float(np.degrees(np.arctan2(turn[0, 1], turn[0, 0]))),
        reflected=bool(np.linalg.det(turn) < 0),
        scale=float(scale),
        affine=affine,
        similarity=similarity,
    )


class Probe(NamedTuple):
    """What straight maps from latents to factors know; see `linear_probe`. At most 1; below 0 is worse than guessing
    the mean."""

    pair: float
    """Held-out R² from the chosen latents."""
    all: float
    """From all latents."""
    rest: float
    """From the latents that were not chosen."""


def linear_probe(z, factors, pair) -> Probe:
    """How much of the factors [N, F] a linear regression reads off the chosen latents of z [N, z_dim], all, the rest.

    Each value is a `held_out_r2`. pair: indices of the chosen latents. Raises ValueError if they are not some of
    0 ... z_dim - 1, or nothing is left over.
    """
    z, chosen = np.asarray(z, dtype=np.float64), sorted({int(latent) for latent in pair})
    z_dim = z.shape[-1]
    rest = [latent for latent in range(z_dim) if latent not in chosen]
    if not chosen or not rest or len(chosen) + len(rest) != z_dim:
        raise ValueError(f"pair is {pair}; it must name some, not all, of the latents 0 ... {z_dim - 1}")
    return Probe(*(held_out_r2(part, factors) for part in (z[:, chosen], z, z[:, rest])))


def held_out_r2(z, factors) -> float:
    """R² of least squares from z [N, D] to factors [N, F], the smallest of the F factors' values.

    Fitted to the first half of the samples and scored on the second, so they must come in random order. Not clipped:
    a fit that does worse than the mean scores below 0. Raises ValueError for fewer than 2 (D + 2) samples, unequal
    numbers of them, or a factor that does not vary in the second half.
    """
    z, factors = np.asarray(z, dtype=np.float64), np.asarray(factors, dtype=np.float64)
    if z.ndim != 2 or factors.ndim != 2 or len(z) != len(factors):
        raise ValueError(f"z has shape {list(z.shape)} and factors {list(factors.shape)}; they must be [N, D], [N, F]")
    if len(z) < 2 * (z.shape[1] + 2):
        raise ValueError(f"z has {len(z)} samples of {z.shape[1]} numbers; needed are {2 * (z.shape[1] + 2)}")
    half = len(z) // 2
    ones = np.concatenate([z, np.ones((len(z), 1))], 1)  # [N, D + 1]
    weights = np.linalg.lstsq(ones[:half], factors[:half], rcond=None)[0]
    target = factors[half:]
    total = np.square(target - target.mean(0)).sum(0)
    if (total == 0).any():
        raise ValueError("factors holds a column that does not vary in its second half: there is nothing to explain")
    return float((1 - np.square(target - ones[half:] @ weights).sum(0) / total).min())


def _r2(target: np.ndarray, prediction: np.ndarray) -> float:
    """The smaller R² of the two columns of [N, 2], at least 0; 0 for a column that is constant."""
    residual = np.square(target - prediction).sum(0)
    total = np.square(target - target.mean(0)).sum(0)
    rounding = len(target) * np.square(1e-12 * np.abs(target).max(0))  # what a constant leaves behind
    if (total <= rounding).any():
        return 0.0
    return float(np.clip(1 - residual / total, 0, 1).min())


def _pairs(name: str, values) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(f"{name} has shape {list(values.shape)}; it must be [N, 2]")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds a number that is not finite")
    return values
