"""Assignment 1: pictures from factors."""

from collections.abc import Callable

import numpy as np
import torch

from sbd_utils.checks.kit import as_array, expect, is_number, is_tensor, passed, same, short


def circle(render: Callable) -> None:
    """render(x, y, size, img_size) -> [img_size, img_size], the part of each pixel that a disc covers."""
    x, y, size, img_size = 20.5, 12.25, 10, 32
    image = render(x, y, size, img_size)
    what = f"circle({x}, {y}, {size}, {img_size})"
    is_tensor(image, (img_size, img_size), what)
    expect(image.dtype == torch.float32, f"{what} holds {image.dtype}; torch.float32 is asked for.")
    expect(
        image.min() >= 0,
        f"{what} goes down to {image.min():.3g}; a part of a pixel is never below 0.",
    )
    expect(
        image.max() <= 1 + 1e-6,
        f"{what} goes up to {image.max():.3g}; a pixel that is covered entirely has 1.",
    )
    light = image.double().sum().item()
    expect(light > 0, f"{what} is black.")
    levels = len(image.mul(1000).round().unique())
    expect(
        levels > 2,
        f"every pixel is {short(image.unique())[1:-1]}: the edge must be soft, a pixel has the part that is covered.",
    )
    at = torch.arange(img_size) + 0.5
    found = (
        (image.double().sum(0) @ at.double()).item() / light,
        (image.double().sum(1) @ at.double()).item() / light,
    )
    where = f"the light's centre is at x = {found[0]:.2f}, y = {found[1]:.2f} instead of ({x}, {y})"
    mistakes = {
        "x and y are swapped: x counts columns (the second index), y counts rows (the first).": (
            y,
            x,
        ),
        "y grows downwards, as rows are counted; your picture is upside down.": (x, img_size - y),
        "half a pixel too far to the lower right: pixel j covers [j, j + 1), its middle is at j + 0.5.": (
            x + 0.5,
            y + 0.5,
        ),
        "half a pixel too far to the upper left: pixel j covers [j, j + 1), its middle is at j + 0.5.": (
            x - 0.5,
            y - 0.5,
        ),
        "the centre was rounded to whole pixels; a circle can lie anywhere.": (round(x), round(y)),
    }
    for sentence, (wrong_x, wrong_y) in mistakes.items():
        expect(abs(found[0] - wrong_x) + abs(found[1] - wrong_y) > 0.12, f"{where}: {sentence}")
    expect(max(abs(found[0] - x), abs(found[1] - y)) < 0.05, f"{where}.")
    area = np.pi * size**2 / 4
    amount = f"the picture holds {light:.1f} pixels of light where the disc's area is {area:.1f}"
    expect(
        not 3.5 < light / area < 4.5,
        f"{amount}, four times as much: size is the diameter, not the radius.",
    )
    expect(not 1.15 < light / area < 1.4, f"{amount}: is it a square?")
    expect(
        levels >= 12,
        f"there are only {levels} grey levels: measure the part that is covered more finely.",
    )
    soft = int(((image > 0.01) & (image < 0.99)).sum())
    expect(
        soft <= 48,
        f"{soft} pixels are neither black nor white; only the 36 that the edge crosses should be grey.",
    )
    expect(abs(light / area - 1) < 0.01, f"{amount}; within 1 % is asked for.")
    passed("circle")


def same_picture(got, right: torch.Tensor, what: str) -> None:
    """Pictures that differ by at most 0.05 in every pixel."""
    is_tensor(got, tuple(right.shape), what)
    worst = (got - right).abs().max().item()
    expect(worst <= 0.05, f"{what}: a pixel is off by {worst:.2f}; at most 0.05 is asked for.")


def coordinates(function: Callable) -> None:
    """function(low, high, num_points, levels) -> xx, yy, labels"""
    low, high, num_points, levels = 10.0, 50.0, 5, 3
    result = function(low, high, num_points, levels)
    expect(
        isinstance(result, tuple) and len(result) == 3,
        "three arrays are asked for: return xx, yy, labels.",
    )
    xx, yy, labels = (as_array(values) for values in result)
    total = 2 * levels * num_points
    for name, values in [("xx", xx), ("yy", yy), ("labels", labels)]:
        expect(
            values.shape == (total,),
            f"{name} has shape {list(values.shape)}; 2 · levels · num_points = {total} numbers are asked for.",
        )
    expect(labels.min() == 0, f"the labels start at {labels.min():g}; lines are numbered from 0.")
    counts = np.bincount(labels.astype(int))
    expect(
        counts.tolist() != [levels] * 2 * num_points,
        f"there are {len(counts)} lines of {levels} points, not {2 * levels} lines of {num_points} points: "
        "did you swap num_points and levels?",
    )
    expect(
        labels.max() == 2 * levels - 1,
        f"the labels end at {labels.max():g}; {2 * levels} lines are numbered 0 ... {2 * levels - 1}, "
        "the horizontal ones go on after the vertical ones.",
    )
    expect(
        (counts == num_points).all(),
        f"the lines have {counts.tolist()} points; each has num_points = {num_points}.",
    )
    for name, values in [("xx", xx), ("yy", yy)]:
        expect(values.min() == low, f"{name} starts at {values.min():g}, not at low = {low:g}.")
        expect(
            np.isclose(values.max(), high),
            f"{name} ends at {values.max():g}, not at high = {high:g}: the last point belongs to the line "
            "(np.linspace has it, np.arange does not).",
        )
    expect(
        (np.diff(labels) >= 0).all(),
        "the points of a line do not follow one another: all points of line 0 first, then those of line 1.",
    )
    first = labels == 0
    expect(
        np.ptp(xx[first]) == 0 or np.ptp(yy[first]) > 0,
        "your grid has y first: line 0 is horizontal. Vertical lines come first, on them x is fixed; "
        "swap the arguments of meshgrid, or xx and yy.",
    )
    expect(np.ptp(xx[first]) == 0, "line 0 is not vertical: x must be the same for all its points.")
    fixed = [xx[labels == line][0] for line in range(levels)]
    expect(
        np.allclose(fixed, [10, 30, 50]),
        f"the vertical lines are at x = {short(fixed)}; evenly spaced from low to high means [10, 30, 50].",
    )
    fixed = [yy[labels == line][0] for line in range(levels, 2 * levels)]
    expect(
        np.allclose(fixed, [10, 30, 50]),
        f"the horizontal lines are at y = {short(fixed)}; [10, 30, 50] is right, from top to bottom.",
    )
    expect(
        np.allclose(yy[first], [10, 20, 30, 40, 50]),
        f"along line 0, y is {short(yy[first])}; [10, 20, 30, 40, 50] is right.",
    )
    passed("spaced_coordinates")


def center_of_mass(function: Callable) -> None:
    """function(images [N, H, W]) -> [N, 2], x and y in pixels"""
    images = torch.zeros(2, 4, 6)
    images[0, 1, 4] = 1  # one pixel: its middle
    images[1, 0, 0], images[1, 0, 2] = 0.5, 1.5  # a quarter and three quarters of the light
    right = torch.tensor([[4.5, 1.5], [2.0, 0.5]])
    got = function(images)
    is_tensor(got, (2, 2), "center_of_mass of two images of 4 x 6 pixels")
    light = images.sum((1, 2))[:, None]
    mistakes = {
        "x and y are swapped: x, the column, comes first.": right.flip(1),
        "half a pixel too small: the middle of pixel j is at j + 0.5.": right - 0.5,
        "divide by the light of the image: the second one is twice as bright as the first.": right
        * light,
        "every image has its own centre: divide by its own light, not by that of the batch.": right
        * light
        / light.sum(),
        "every image has its own centre; yours are averages over the batch.": (
            right * light / light.sum()
        )
        .sum(0)
        .expand(2, 2),
        "you give the brightest pixel; all the light counts, each pixel by its brightness.": torch.tensor(
            [[4.5, 1.5], [2.5, 0.5]]
        ),
        "you give the brightest pixel; all the light counts, each by its brightness.": torch.tensor(
            [[4.0, 1.0], [2.0, 0.0]]
        ),
        "you average over the pixels that are lit; each counts by its brightness.": torch.tensor(
            [[4.5, 1.5], [1.5, 0.5]]
        ),
    }
    same(got, right, "the centre of mass", mistakes)
    passed("center_of_mass")


def worst_error(function: Callable) -> None:
    """function(render, measure, positions [N, 2], img_size) -> the largest distance in pixels"""
    positions = torch.tensor([[10.0, 20.0], [30.0, 12.0], [25.0, 25.0]])
    off = torch.tensor([[0.0, 1.0], [-3.0, -4.0], [0.0, 0.0]])
    got = is_number(function(*fake_instruments(off, 32), positions, 32), "worst_error")
    mistakes = {
        "this is the average distance; the largest is asked for.": 2.0,
        "this is the largest difference in one coordinate; a distance has both: √(dx² + dy²).": 4.0,
        "this is the largest difference in x alone; a distance has both: √(dx² + dy²).": 3.0,
        "differences have signs: to the left is wrong, too.": 1.0,
        "this is the squared distance; take the root.": 25.0,
        "this is the sum of the differences in x and in y; the distance is √(dx² + dy²).": 7.0,
        "this is the root mean square distance; the largest is asked for.": float(np.sqrt(26 / 3)),
    }
    same(got, 5.0, "the largest of the distances 1, 5 and 0", mistakes)
    passed("worst_error")


def fake_instruments(off: torch.Tensor, given: int) -> tuple[Callable, Callable]:
    """A `render` that writes the position into an image, and a `measure` that reads it and is off by `off` [N, 2].

    given: the img_size that must reach `render`.
    """

    def render(x, y, size, img_size):
        expect(img_size == given, f"render got img_size {img_size}; {given} was given.")
        expect(size == 10, f"render got size {size}; the circles have size 10.")
        image = torch.zeros(img_size, img_size)
        image[0, 0], image[0, 1] = float(x), float(y)
        return image

    def measure(images):
        expect(
            images.ndim == 3,
            f"measure got images of shape {list(images.shape)}; it takes [N, H, W]: stack them.",
        )
        expect(
            len(images) == len(off), f"measure got {len(images)} images of {len(off)} positions."
        )
        return images[:, 0, :2] + off

    return render, measure


def spectrum(function: Callable) -> None:
    """function(images [N, H, W]) -> shares of the variance [min(N, H · W)], the largest first"""
    directions = (
        torch.tensor([[1.0, 1, 1, 1, 0, 0], [1, -1, 1, -1, 0, 0]]).view(2, 2, 3) / 2
    )  # orthogonal, length 1
    steps = torch.tensor([[2.0, 0], [-2, 0], [0, 1], [0, -1]])
    images = torch.einsum("nk,khw->nhw", steps, directions) + torch.tensor([[3.0, 0, 1], [2, 5, 1]])
    got = function(images)
    is_tensor(got, (4,), "spectrum of 4 images of 2 x 3 pixels")
    flat = images.flatten(1)
    raw = torch.linalg.svdvals(flat).square()
    by_row = torch.linalg.svdvals(flat - flat.mean(1, keepdim=True)).square()
    root = torch.tensor([8.0, 2, 0, 0]).sqrt()
    right = torch.tensor([0.8, 0.2, 0, 0])
    mistakes = {
        "subtract the mean image first: variance is about the mean.": raw / raw.sum(),
        "you subtract each image's own mean brightness; the mean image, over the batch, is asked for.": by_row
        / by_row.sum(),
        "these are shares of the singular values; variances are their squares.": root / root.sum(),
        "the smallest comes first; the largest is asked for.": right.flip(0),
        "these are the variances; divide by their sum to get shares.": right * 10 / 4,
        "these are the variances; divide them by their sum to get shares.": right * 10 / 3,
        "these are sums of squares; divide by their sum to get shares.": right * 10,
        "these are cumulative sums; each direction's own share is asked for.": right.cumsum(0),
    }
    same(got, right, "the share", mistakes, 1e-3)
    passed("spectrum")
