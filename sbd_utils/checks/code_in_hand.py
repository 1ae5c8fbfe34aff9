"""The checks of notebook 06: an ellipse in pixels, a detour, a latent that wakes, no training."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.checks.kit import (
    Mistakes,
    NotYet,
    as_array,
    close,
    expect,
    is_number,
    parts,
    same,
    short,
    solved,
    unwritten,
)

PLACES = (8, 56)
"""Between which pixels the course's circles have their centres."""
INFORMATIVE = 0.5
"""A latent with an average posterior variance below this is informative; as in `analysis`."""
LIVELY = 0.5
"""A latent is awake at a place where it changes some pixel by more than this."""


def ellipse_in_pixels(answer: Any, stds: ArrayLike, path: ArrayLike, pixels: float) -> None:
    """Check how many pixels a standard deviation of the posterior is.

    Args:
        answer: The student's, of either latent, or a mean of the two.
        stds: Of the two latents, [2].
        path: Codes in these latents, [T, 2], of a circle that moves in a straight line …
        pixels: … by so many pixels.
    """
    if unwritten(answer):
        return
    number = is_number(answer, "the standard deviation")
    own, codes = as_array(stds), as_array(path)
    per_pixel = float(np.linalg.norm(codes[-1] - codes[0])) / pixels
    low, high = own.min(), own.max()
    if _between(number, low / per_pixel, high / per_pixel):
        solved("the ellipse")
        return
    mistakes = {
        "that is in units of the latent: how far does the code move for one pixel?": (low, high),
        "that is how far the code moves for one pixel; divide by it.": (per_pixel, per_pixel),
        "that is a product: divide by what the code moves for one pixel.": (
            low * per_pixel,
            high * per_pixel,
        ),
        "upside down: these are standard deviations in one pixel.": (
            per_pixel / high,
            per_pixel / low,
        ),
        "that is made of the variance, whose root is the standard deviation.": (
            low**2 / per_pixel,
            high**2 / per_pixel,
        ),
    }
    for sentence, (least, most) in mistakes.items():
        expect(not _between(number, least, most), f"{short(number)}: {sentence}")
    ends = f"the ends of `path` are {pixels:g} pixels apart."
    raise NotYet(f"{short(number)} is not it: {ends}")


def _between(number: float, least: float, most: float) -> bool:
    """Whether a number lies between two, to two per cent."""
    return 0.98 * least <= number <= 1.02 * most


def detours(answer: Any, paths: Mapping[str, ArrayLike], counted: Mapping[str, ArrayLike]) -> None:
    """Check the detour of a path of codes for each model.

    Args:
        answer: The student's, a number for each model, by name.
        paths: By name, codes [T, z_dim].
        counted: By name, whether a latent is informative, bool [z_dim].
    """
    if unwritten(answer):
        return
    names = ", ".join(map(repr, paths))
    asked = f"a number for each of {names} is asked for, in a dictionary."
    expect(isinstance(answer, Mapping) and set(answer) == set(paths), asked)
    for name, path in paths.items():
        if unwritten(answer[name]):
            return
        codes, informative = as_array(path), as_array(counted[name]) > 0
        what = f"the detour of {name}"
        right = _detour(codes[:, informative])
        mistakes = _mistaken_detours(codes, informative)
        same(is_number(answer[name], what), right, what, mistakes, 1e-3, 0)
    solved("both detours")


def _detour(codes: np.ndarray) -> float:
    steps = np.linalg.norm(np.diff(codes, axis=0), axis=1).sum()
    return float(steps / np.linalg.norm(codes[-1] - codes[0]))


def _mistaken_detours(codes: np.ndarray, informative: np.ndarray) -> Mistakes:
    counted = codes[:, informative]
    length = np.linalg.norm(np.diff(counted, axis=0), axis=1).sum()
    return {
        "latents that do not inform are left out.": _detour(codes),
        "that is the length alone; divide it by the distance between the ends.": length,
        "upside down: a detour is never below 1.": 1 / _detour(counted),
    }


def sleeper_wakes(
    latent: Any,
    place: Any,
    in_the_middle: Mapping[int, float],
    change_at: Callable[[int, float, float], float],
) -> None:
    """Check which informative latent sleeps in the middle, and where it wakes up.

    Args:
        latent: The student's.
        place: Likewise: x and y of a circle, in pixels.
        in_the_middle: By informative latent, the largest change of a pixel in the middle.
        change_at: (latent, x, y) -> the same with the circle there.
    """
    if unwritten(latent, place):
        return
    number = is_number(latent, "the latent")
    listed = ", ".join(map(str, sorted(in_the_middle)))
    expect(number in in_the_middle, f"{number:g} is not informative; {listed} are.")
    least = min(in_the_middle.values())
    change = in_the_middle[int(number)]
    expect(change == least, f"in the middle, latent {number:g} changes a pixel by {change:.2f}.")
    x, y = (is_number(each, "x or y") for each in parts(place, 2, "place is (x, y), in pixels."))
    low, high = PLACES
    inside = f"no circle of the course is at ({x:g}, {y:g}): centres are {low} to {high}."
    expect(low <= min(x, y) and max(x, y) <= high, inside)
    there = change_at(int(number), x, y)
    still = f"at ({x:g}, {y:g}) it changes no pixel by more than {there:.2f}: try elsewhere."
    expect(there > LIVELY, still)
    solved("the sleeper")


def untrained_sliders(
    informative: Any, change: Any, variances: ArrayLike, films: ArrayLike
) -> None:
    """Check what the sliders of an untrained model do.

    Args:
        informative: The student's: how many latents are.
        change: Likewise: the largest change of a pixel by any latent.
        variances: Average posterior variances [z_dim].
        films: What a slider's way is decoded to, [z_dim, steps, C, H, H], as it is decoded.
    """
    if unwritten(informative, change):
        return
    spreads = as_array(variances)
    all_latents = f"these are all latents; informative has a variance below {INFORMATIVE:g}."
    mistakes = {all_latents: len(spreads)}
    count = int((spreads < INFORMATIVE).sum())
    same(is_number(informative, "informative"), count, "informative", mistakes, 0, 0.1)
    images = as_array(films)
    largest = _largest_change(images.clip(0, 1))
    found = is_number(change, "change")
    raw = "black and white are the ends of what is seen: clamp to [0, 1] first, as above."
    expect(not close(found, _largest_change(images), 2e-2), raw)
    expect(close(found, largest, 2e-2), f"change is {short(found)}; of which latent is that?")
    solved("the untrained model")


def _largest_change(images: np.ndarray) -> float:
    return float((images.max(1) - images.min(1)).max())
