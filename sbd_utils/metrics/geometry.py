"""How straight a code is: arrays of positions and codes in, scores out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Geometry(NamedTuple):
    """How faithfully a code keeps the plane; see `fit_geometry`."""

    affine_r2: float
    """R² of the best affine map, the smaller of the two coordinates' values, in [0, 1]."""
    similarity_r2: float
    """The same for the best similarity: rotation or reflection, one scale, shift."""
    angle: float
    """Rotation of the best similarity in degrees, in (-180, 180]: first axis towards the second."""
    reflected: bool
    """Whether the best similarity first flips the sign of y."""
    scale: float
    """Scale of the best similarity, units of z per unit of xy."""
    affine: np.ndarray
    """[3, 2]; `[x, y, 1] @ affine` is the affine prediction of z."""
    similarity: np.ndarray
    """[3, 2], likewise for the similarity."""


def fit_geometry(xy: ArrayLike, z: ArrayLike) -> Geometry:
    """Score how well a straight map of positions explains codes.

    Least squares for the affine map; orthogonal Procrustes (Schönemann 1966, with scale) for the
    similarity. A coordinate of z that is constant scores 0: there is no variance to explain.

    Args:
        xy: Positions [N, 2] in pixels.
        z: Codes [N, 2].

    Raises:
        ValueError: Another shape, fewer than 3 points, numbers that are not finite, or points of xy
            on a line.

    Example:
        >>> corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
        >>> turned = corners @ [[0, 2], [-2, 0]]  # by 90 degrees, twice as large
        >>> geometry = fit_geometry(corners, turned)
        >>> round(geometry.similarity_r2, 6), round(geometry.angle), round(geometry.scale, 6)
        (1.0, 90, 2.0)
    """
    xy, z = _pairs("xy", xy), _pairs("z", z)
    if len(xy) != len(z) or len(xy) < 3:
        counts = f"xy has {len(xy)} and z has {len(z)} points"
        raise ValueError(f"{counts}; both need the same number, at least 3")
    ones = np.concatenate([xy, np.ones((len(xy), 1))], 1)  # [N, 3]
    if np.linalg.matrix_rank(ones) < 3:
        raise ValueError("xy lies on a line; the fit needs points that span the plane")
    affine = np.linalg.lstsq(ones, z, rcond=None)[0]
    turn, scale, similarity = _procrustes(xy, z)
    return Geometry(
        affine_r2=_r2(z, ones @ affine),
        similarity_r2=_r2(z, ones @ similarity),
        angle=float(np.degrees(np.arctan2(turn[0, 1], turn[0, 0]))),
        reflected=bool(np.linalg.det(turn) < 0),
        scale=scale,
        affine=affine,
        similarity=similarity,
    )


def alignment(xy: ArrayLike, z: ArrayLike) -> float:
    """Whether each latent follows a single factor: 1 if so, about ½ if it mixes both alike.

    The squared correlation of each latent with the factor that it follows best; of the two latents
    the smaller value. A similarity with rotation angle θ has max(cos² θ, sin² θ).

    Args:
        xy: Positions [N, 2].
        z: Codes [N, 2]; a latent that is constant makes it 0.

    Example:
        >>> corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
        >>> alignment(corners, corners[:, ::-1])
        1.0
    """
    xy, z = _pairs("xy", xy), _pairs("z", z)
    if (np.ptp(z, axis=0) == 0).any():
        return 0.0
    correlation = np.corrcoef(xy.T, z.T)[2:, :2]  # [latent, factor]
    return float(np.square(correlation).max(1).min())


def latent_direction(xy: ArrayLike, z: ArrayLike) -> float:
    """The direction in the image in which a latent grows, in degrees modulo 90.

    Of the best similarity. 0: each latent follows one axis; 45: as far from it as can be. Unlike
    `Geometry.angle` it does not depend on which latent comes first, nor on signs.

    Args:
        xy: Positions [N, 2].
        z: Codes [N, 2].

    Example:
        >>> corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
        >>> turned = corners @ [[0.8, -0.6], [0.6, 0.8]]
        >>> round(latent_direction(corners, turned), 1)
        36.9
        >>> round(latent_direction(corners, turned[:, ::-1]), 1)
        36.9
    """
    turn = fit_geometry(xy, z).similarity[:2]  # z = xy @ turn + shift
    along_x, along_y = turn[:, 0]  # the gradient of the first latent
    return float(np.degrees(np.arctan2(along_y, along_x)) % 90)


def _procrustes(xy: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The best similarity: its rotation [2, 2], its scale, and both with a shift [3, 2]."""
    xy_mean, z_mean = xy.mean(0), z.mean(0)
    u, stretch, vt = np.linalg.svd((xy - xy_mean).T @ (z - z_mean))
    turn = u @ vt  # row vectors are multiplied from the left
    scale = stretch.sum() / np.square(xy - xy_mean).sum()
    shift = z_mean - scale * xy_mean @ turn
    return turn, float(scale), np.vstack([scale * turn, shift])


def _r2(target: np.ndarray, prediction: np.ndarray) -> float:
    """The smaller R² of the two columns of [N, 2], at least 0; 0 for a column that is constant."""
    residual = np.square(target - prediction).sum(0)
    total = np.square(target - target.mean(0)).sum(0)
    rounding = len(target) * np.square(1e-12 * np.abs(target).max(0))  # what a constant leaves
    if (total <= rounding).any():
        return 0.0
    return float(np.clip(1 - residual / total, 0, 1).min())


def _pairs(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"{name} has shape {list(array.shape)}; it must be [N, 2]")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds a number that is not finite")
    return array
