"""The checks of notebook 04: bits and places, axes from three labels, codes that fool a score."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.checks.kit import as_array, close, expect, is_number, same, short, solved, unwritten


def bits_and_places(bits: Any, places: Any, nats: ArrayLike) -> None:
    """Check how many bits some nats are, and how many places they tell apart.

    Args:
        bits: The student's.
        places: Likewise.
        nats: Of KL.
    """
    if unwritten(bits, places):
        return
    price = float(as_array(nats))
    mistakes = {
        "these are nats: a bit is log(2) of them.": price,
        "a bit is log(2) nats, which is less than one: there are more bits than nats.": (
            price * math.log(2)
        ),
    }
    same(is_number(bits, "bits"), price / math.log(2), "bits", mistakes, 1e-2)
    number, right = is_number(places, "places"), math.exp(price)
    half = "both coordinates together pay these nats: it is the places of the plane that are asked."
    expect(not close(number, math.exp(price / 2), 0.05), half)
    expect(close(number, right, 0.05), f"places is {short(number)}; each bit doubles them.")
    solved("bits and places")


def axes_from_three_labels(matrix: Any, positions: ArrayLike, codes: ArrayLike) -> None:
    """Check the affine map through three labelled circles.

    Args:
        matrix: The student's, [3, 2]: `[x, y, 1] @ matrix` is a code.
        positions: [3, 2] in pixels.
        codes: Their codes [3, 2].
    """
    if unwritten(matrix):
        return
    found, places, right = as_array(matrix, "matrix"), as_array(positions), as_array(codes)
    turned = "matrix is [2, 3]: it is multiplied from the right, [x, y, 1] @ matrix."
    expect(found.shape != (2, 3), turned)
    shape = f"matrix has shape {list(found.shape)} where [3, 2] is asked for."
    expect(found.shape == (3, 2), shape)
    mapped = np.concatenate([places, np.ones((3, 1))], 1) @ found
    same(mapped, right, "what the matrix makes of the three labelled circles", None, 1e-3)
    solved("the map")


def unfaithful_code(code: Any, positions: ArrayLike) -> None:
    """Check a code of the plane that an affine fit calls perfect and a similarity does not.

    Args:
        code: The student's [N, 2].
        positions: [N, 2] in pixels.
    """
    if unwritten(code):
        return
    z, xy = as_array(code, "the code"), as_array(positions)
    shape = f"the code has shape {list(z.shape)} where {list(xy.shape)} is asked for."
    expect(z.shape == xy.shape, shape)
    varying = "one of its numbers is the same everywhere: R² is 0 by both fits."
    expect((np.ptp(z, axis=0) > 0).all(), varying)
    affine, similarity = _straightness(z, xy)
    expect(affine > 0.99, f"its affine R² is {affine:.2f}: that score notices.")
    expect(similarity < 0.9, f"its similarity R² is {similarity:.2f}: that code is faithful.")
    solved("the unfaithful code")


def two_halves(pictures: Any, positions: ArrayLike) -> None:
    """Check pictures whose centre of mass is right and that show no circle there.

    Args:
        pictures: The student's [N, 1, H, W], or [N, H, W].
        positions: The centres [N, 2] in pixels that are asked for.
    """
    if unwritten(pictures):
        return
    light, places = as_array(pictures, "pictures"), as_array(positions)
    light = light[:, 0] if light.ndim == 4 else light
    several = light.ndim == 3 and len(light) == len(places)
    expect(several, f"pictures must be {len(places)} of one channel: [N, 1, H, W].")
    total = light.sum((1, 2))
    expect((total > 0).all(), "one of the pictures is black: it has no centre of mass.")
    rows, columns = np.arange(light.shape[1]) + 0.5, np.arange(light.shape[2]) + 0.5
    found = np.stack([light.sum(1) @ columns, light.sum(2) @ rows], 1) / total[:, None]
    off = np.abs(found - places).max()
    expect(off < 0.5, f"a centre of mass is {off:.1f} pixels off: draw both at equal distances.")
    middle = places.astype(int)
    there = light[np.arange(len(light)), middle[:, 1], middle[:, 0]]
    lit = f"at the place itself is light, up to {there.max():.1f}: move the two halves apart."
    expect(there.max() < 0.2, lit)
    solved("the pictures")


def _straightness(z: np.ndarray, xy: np.ndarray) -> tuple[float, float]:
    """R² of the best affine map and of the best similarity, the smaller of the columns' each."""
    place, code = xy - xy.mean(0), z - z.mean(0)
    affine = place @ np.linalg.lstsq(place, code, rcond=None)[0]
    left, stretch, right = np.linalg.svd(place.T @ code)
    scale = stretch.sum() / np.square(place).sum()
    similar = scale * place @ left @ right
    total = np.square(code).sum(0)
    residuals = [np.square(code - fit).sum(0) for fit in (affine, similar)]
    first, second = (float((1 - residual / total).min()) for residual in residuals)
    return first, second
