"""The checks of the exercises of notebook 01: symmetry, ghosts, diameters, codes of a grid."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sbd_utils.checks.kit import (
    as_array,
    call,
    close,
    expect,
    is_array,
    is_number,
    same,
    solved,
    unwritten,
)


def triangle_period(degrees: Any) -> None:
    """Check the smallest turn after which an equilateral triangle looks the same."""
    if unwritten(degrees):
        return
    number = is_number(degrees, "the angle")
    hint = "draw the triangle turned by 0, 1, 2, … degrees, and compare with the first."
    upside_down = "turned by 60 degrees, it stands on its head."
    expect(not close(number, 60, 1e-3), upside_down)
    expect(number > 0, f"{number:g}: a turn by more than nothing is asked for.")
    looks_the_same = close(number / 120, round(number / 120), 1e-3)
    expect(number <= 121 or not looks_the_same, f"{number:g} is one, but there is a smaller one.")
    expect(close(number, 120, 0.01), f"{number:g} is not it: {hint}")
    solved("the angle")


def ghost_goes_dark(pixels: Any) -> None:
    """Check how far two circles of diameter 10 may be apart until their ghost's middle is dark."""
    if unwritten(pixels):
        return
    number = is_number(pixels, "the distance")
    both = "half-way is as far from the one centre as from the other: take both into account."
    expect(not 4 <= number <= 6, f"{number:g}: {both}")
    whole = "at that distance there is a gap of a whole circle between them."
    expect(not 19 <= number <= 21, f"{number:g}: {whole}")
    hint = "how far from its centre does a circle reach, and where is the point half-way?"
    expect(9 <= number <= 11, f"{number:g} is not it: {hint}")
    solved("the distance")


def diameters(function: Callable[..., Any]) -> None:
    """Check a function that gives the diameters of circles.

    Args:
        function: images [N, 1, 64, 64] -> diameters [N] in pixels, an array-like.
    """
    right = np.array([6, 8.5, 10, 14])
    images = torch.stack([_disc(20 + 5 * i, 40 - 3 * i, size) for i, size in enumerate(right)])
    found = call(function, images=images)
    if unwritten(found):
        return
    area = np.pi / 4 * right**2
    mistakes = {
        "that is the area; which root of it is the diameter?": area,
        "that is the radius.": right / 2,
        "π is missing: the area is π/4 times the square of the diameter.": np.sqrt(area),
    }
    same(found, right, "the diameters", mistakes, tolerance=0.01)
    solved("diameters")


def two_codes(stretched: Any, wound: Any, xy: ArrayLike, fit_geometry: Callable[..., Any]) -> None:
    """Check two codes of a grid: one that is straight and not square, one that is neither.

    Args:
        stretched: [N, 2], of affine R² 1 and similarity R² below 0.9.
        wound: [N, 2], both below 0.1, with different codes for different places.
        xy: The places [N, 2].
        fit_geometry: The library's.
    """
    if unwritten(stretched, wound):
        return
    places = as_array(xy)
    for name, code in (("stretched", stretched), ("wound", wound)):
        is_array(code, places.shape, name)
    first, second = fit_geometry(places, stretched), fit_geometry(places, wound)
    straight = f"the affine R² of stretched is {first.affine_r2:.2f}"
    expect(first.affine_r2 > 0.999, f"{straight}: its lines are not straight or not even.")
    square = f"the similarity R² of stretched is {first.similarity_r2:.2f}"
    expect(first.similarity_r2 < 0.9, f"{square}: stretch one axis more than the other.")
    left = f"the affine R² of wound is {second.affine_r2:.2f}"
    expect(second.affine_r2 < 0.1, f"{left}: a straight map still follows it.")
    codes, distinct = len(np.unique(wound.round(9), axis=0)), len(np.unique(places, axis=0))
    expect(codes == distinct, f"wound has {codes} codes for {distinct} places.")
    solved("both codes")


def _disc(x: float, y: float, size: float) -> Tensor:
    """A white disc on black, each pixel with the part that is covered, [1, 64, 64]."""
    points = (torch.arange(64 * 8) + 0.5) / 8  # along an axis, in pixels
    inside = (points[None, :] - x) ** 2 + (points[:, None] - y) ** 2 <= (size / 2) ** 2
    return inside.float().reshape(1, 64, 8, 64, 8).mean((2, 4))
