"""The checks of the exercises of notebook 08: a world, an error, a hole, a front."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sbd_utils.checks.kit import (
    as_array,
    call,
    expect,
    is_array,
    is_tensor,
    same,
    short,
    solved,
    unwritten,
)

HALF_OF_THE_BAND = 0.5
"""How far the centres of a band are from the diagonal, from -1 to 1 over the square of centres."""


def hearts_on_a_band(world: Any) -> None:
    """Check a world of hearts near the diagonal, 32 x 32 pixels, whose hue follows y.

    Args:
        world: The student's.
    """
    if unwritten(world):
        return
    kind = type(world).__name__
    expect(hasattr(world, "batch"), f"this is a {kind}; a world is made by ColoredSprites(…).")
    images, factors = world.batch(0, 1000)
    expect(images.shape[-1] == 32, f"images have {images.shape[-1]} pixels a side; say im_size=32.")
    x, y, _, shape, _, hue, _, _ = as_array(factors).T
    kinds = {round(kind) for kind in shape}
    expect(kinds == {2}, 'other sprites than hearts are drawn: ranges={"shape": "heart"}.')
    half = 32 * (1 / 2 - 3 / 16)  # of the square of centres, in pixels
    off = np.abs(x - y).max() / half
    wide = 'centres are as far as that from the diagonal: region="band".'
    expect(off <= HALF_OF_THE_BAND + 1e-6, wide)
    expect(np.ptp(x) > half and np.ptp(y) > half, "the places hardly vary; x and y are to be free.")
    followed = {name: abs(np.corrcoef(hue, along)[0, 1]) for name, along in (("x", x), ("y", y))}
    expect(followed["x"] < 0.999, 'the hue follows x: ties={"hue": "y"}.')
    expect(followed["y"] > 0.999, 'the hue does not follow y: ties={"hue": "y"}.')
    solved("the world")


def share_of_light(share: Callable[[Any, Any], Any]) -> None:
    """Check the squared error of each picture, as a share of that picture's own light.

    Args:
        share: The student's, of images and redrawn images [N, C, H, H].
    """
    generator = torch.Generator().manual_seed(0)
    images, rebuilt = torch.rand((2, 5, 3, 4, 4), generator=generator)
    images[2] *= 0.1  # a dark one
    rebuilt[0], rebuilt[1] = images[0], 0  # exact, and black
    answer = call(share, images=images, rebuilt=rebuilt)
    if unwritten(answer):
        return
    is_tensor(answer, (5,), "the share")
    error, light = (part.square().sum((1, 2, 3)) for part in (rebuilt - images, images))
    mistakes = {
        "this is the error; divide by each picture's own light.": error,
        "each picture is divided by its own light, not by the mean of all.": error / light.mean(),
        "divide by the light of the original, not of the redrawn picture.": (
            error / rebuilt.square().sum((1, 2, 3)).clamp_min(1e-9)
        ),
        "square before you sum: a root has been taken.": (error / light).sqrt(),
        "the light is the sum of squares, as the error is; these are sums of values.": (
            error / images.sum((1, 2, 3))
        ),
    }
    same(answer, error / light, "the share", mistakes, 1e-4)
    solved("the share of the light")


def off_in_the_hole(off: Callable[[Any, Any, Any], Any]) -> None:
    """Check how far off places are if their codes are read by a map from outside the hole.

    Args:
        off: The student's, of codes [N, 2], places [N, 2] and which of them are in the hole [N];
            gives the distances of those in the hole.
    """
    generator = np.random.default_rng(0)
    for case in range(3):
        places = generator.uniform(6, 26, (80, 2))
        hole = np.hypot(*(places - 16).T) < 5
        codes = places @ generator.normal(size=(2, 2)) + generator.normal(size=2)
        if case:  # in the hole the code stays behind
            codes[hole] += generator.normal(size=2) * np.abs(places[hole, :1] - 16)
        answer = call(off, codes=codes.copy(), places=places.copy(), hole=hole.copy())
        if unwritten(answer):
            return
        is_array(answer, (int(hole.sum()),), "the distances")
        outside, everywhere = (_distances(codes, places, chosen) for chosen in (~hole, hole | True))
        turned = np.linalg.norm(codes - _mapped(places, codes, places, ~hole), axis=1)
        mistakes = {
            "fit the map to the places outside alone: the hole must not have a say.": (
                everywhere[hole]
            ),
            "these are distances between codes; map codes to places, to have pixels.": turned[hole],
            "square roots are missing: these are squared distances.": outside[hole] ** 2,
        }
        if case == 0:
            mistakes = {}  # nothing is off: all of these are 0, too
        same(answer, outside[hole], "the distances", mistakes, 1e-3)
    solved("how far off")


def _mapped(
    source: np.ndarray, target: np.ndarray, points: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Where the affine map that is fitted from source to target at the chosen ones sends points."""
    ones = np.ones((len(points), 1))
    full = np.hstack([source, ones])
    matrix, *_ = np.linalg.lstsq(full[chosen], target[chosen], rcond=None)
    return np.asarray(np.hstack([points, ones]) @ matrix)


def _distances(codes: np.ndarray, places: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(_mapped(codes, places, codes, chosen) - places, axis=1))


def undominated(front: Callable[[Any, Any], Any]) -> None:
    """Check which runs no other run beats in rate and in distortion.

    A run is beaten by one that is no worse in either and better in one.

    Args:
        front: The student's, of rates [N] and distortions [N]; gives numbers of runs.
    """
    cases = [
        ([1.0, 2.0, 3.0, 2.5], [9.0, 4.0, 1.0, 5.0], "the run at 2.5 nats is beaten by that at 2"),
        ([2.0, 1.0, 3.0], [4.0, 9.0, 1.0], "none is beaten, in whatever order they come"),
        ([1.0, 1.0, 2.0], [3.0, 2.0, 2.0], "equal in one and worse in the other is beaten, too"),
        ([1.0, 1.0, 5.0], [2.0, 2.0, 9.0], "two equal runs do not beat each other"),
    ]
    generator = np.random.default_rng(1)
    drawn = generator.integers(0, 9, (2, 40)).astype(float)
    cases.append((drawn[0].tolist(), drawn[1].tolist(), "forty runs drawn at random"))
    for rates, errors, why in cases:
        given = dict(rate=np.array(rates), distortion=np.array(errors))
        answer = call(front, **given)
        if unwritten(answer):
            return
        numbers = as_array(answer, "the front").ravel()
        asked = "the numbers of the runs are asked for, from 0 on"
        expect(np.asarray(answer).dtype != bool, f"the front is a mask; {asked}.")
        expect((numbers == numbers.round()).all(), f"the front is {short(numbers)}; {asked}.")
        right = {i for i in range(len(rates)) if not _beaten(i, rates, errors)}
        found = {int(number) for number in numbers}
        told = f"of rates {short(rates)} and distortions {short(errors)}"
        expect(found == right, f"{told} the front is {sorted(right)}: {why}.")
    solved("the front")


def _beaten(number: int, rates: list[float], errors: list[float]) -> bool:
    mine = (rates[number], errors[number])
    others = zip(rates, errors, strict=True)
    return any(r <= mine[0] and e <= mine[1] and (r, e) != mine for r, e in others)
