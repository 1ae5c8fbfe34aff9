"""The checks of assignment 1: a circle, lines on the plane, centres of mass, a PCA spectrum."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.checks.kit import (
    Mistakes,
    as_array,
    call,
    expect,
    is_array,
    is_number,
    is_tensor,
    parts,
    passed,
    same,
    short,
    told_apart,
)

# Task 1: a circle


def circle(render: Callable[..., Any]) -> None:
    """Check a function that draws a disc.

    Args:
        render: (x, y, size, img_size) -> float32 [img_size, img_size], the part of each pixel that
            a disc of diameter `size` about (x, y) covers.
    """
    x, y, size, img_size = 20.5, 12.25, 10, 32
    what = f"circle({x}, {y}, {size}, {img_size})"
    image = render(x, y, size, img_size)
    is_tensor(image, (img_size, img_size), what)
    expect(image.dtype == torch.float32, f"{what} holds {image.dtype}; torch.float32 is asked for.")
    image = as_array(image)
    _is_part_of_a_pixel(image, what)
    _lies_at(image, x, y)
    _is_a_disc(image, size)
    _small_discs(render)
    passed("circle")


def _is_part_of_a_pixel(image: np.ndarray, what: str) -> None:
    """Values from 0 to 1, and some between."""
    low, high = image.min(), image.max()
    expect(low >= -1e-6, f"{what} goes down to {low:.3g}; a part of a pixel is never below 0.")
    highest, one = told_apart(high, 1)
    expect(high <= 1 + 1e-6, f"{what} goes up to {highest}; a pixel covered entirely has {one}.")
    expect(high > 0, f"{what} is black.")
    levels = np.unique(image.round(3))
    expect(
        len(levels) > 2,
        f"every pixel is {' or '.join(map(short, levels))}: the edge must be soft, "
        "a pixel has the part that is covered.",
    )


def misplaced(x: float, y: float, img_size: int) -> Mistakes:
    """Where the light of a disc at (x, y) lies after the usual mistakes."""
    half_a_pixel = "pixel j covers [j, j + 1), its middle is at j + 0.5."
    return {
        "x and y are swapped: x counts columns (the second index), y rows (the first).": (y, x),
        "y grows downwards, as rows are counted; your picture is upside down.": (x, img_size - y),
        f"half a pixel too far to the lower right: {half_a_pixel}": (x + 0.5, y + 0.5),
        f"half a pixel too far to the upper left: {half_a_pixel}": (x - 0.5, y - 0.5),
        "the centre was rounded to whole pixels; a circle can lie anywhere.": (round(x), round(y)),
    }


def _lies_at(image: np.ndarray, x: float, y: float) -> None:
    """The light's centre of mass is (x, y) to a twentieth of a pixel."""
    middles = np.arange(len(image)) + 0.5
    light = image.sum()
    found = (image.sum(0) @ middles / light, image.sum(1) @ middles / light)
    where = f"the light's centre is at x = {found[0]:.2f}, y = {found[1]:.2f}"
    mistakes = {
        f"{where} instead of ({x}, {y}): {sentence}": place
        for sentence, place in misplaced(x, y, len(image)).items()
    }
    same(found, (x, y), "the light's centre", mistakes, tolerance=0, absolute=0.05)


def _is_a_disc(image: np.ndarray, size: float) -> None:
    """As much light as a disc has, and an edge as fine."""
    area = np.pi * size**2 / 4
    light = image.sum()
    share = light / area
    amount = f"the picture holds {light:.1f} pixels of light where the disc's area is {area:.1f}"
    four_times = "four times as much: size is the diameter, not the radius."
    expect(not 3.5 < share < 4.5, f"{amount}, {four_times}")
    expect(not 1.15 < share < 1.4, f"{amount}: is it a square?")
    levels = len(np.unique(image.round(3)))
    finer = "measure the part that is covered more finely."
    expect(levels >= 12, f"there are only {levels} grey levels: {finer}")
    soft = int(((image > 0.01) & (image < 0.99)).sum())
    sharp = "only the 36 that the edge crosses should be grey."
    expect(soft <= 48, f"{soft} pixels are neither black nor white; {sharp}")
    expect(abs(share - 1) < 0.01, f"{amount}; within 1 % is asked for.")


def _small_discs(render: Callable[..., Any]) -> None:
    """Discs that are smaller than a pixel, where a distance to the edge tells no area."""
    ramp = "the distance to the edge tells no area: {} covers {:.2f} of a pixel, yours {:.2f}."
    for size in (0.5, 1):
        what = f"circle(8.5, 8.5, {size}, 16)"
        image = render(8.5, 8.5, size, 16)
        is_tensor(image, (16, 16), what)
        right = np.pi * size**2 / 4
        of_a_ramp = size / 2 + 0.5  # at the centre, for a ramp as wide as a pixel
        mistakes = {ramp.format(what, right, of_a_ramp): of_a_ramp}
        pixel = f"the pixel in row 8 and column 8 of {what}"
        same(image[8, 8], right, pixel, mistakes, tolerance=0, absolute=0.05)


def same_picture(got: Any, right: Tensor, what: str) -> None:
    """Expect pictures that differ by at most 0.05 in every pixel."""
    is_tensor(got, tuple(right.shape), what)
    worst = np.abs(as_array(got) - as_array(right)).max()
    off, most = told_apart(worst, 0.05)
    expect(worst <= 0.05, f"{what}: a pixel is off by {off}; at most {most} is asked for.")


# Task 2: lines on the plane


def coordinates(function: Callable[..., Any]) -> None:
    """Check a function that gives the points of vertical and horizontal lines.

    Args:
        function: (low, high, num_points, levels) -> arrays xx, yy, labels of length
            2 * levels * num_points.
    """
    low, high, num_points, levels = 10.0, 50.0, 5, 3
    arrays = function(low, high, num_points, levels)
    xx, yy, labels = three_arrays(arrays, 2 * levels * num_points)
    _number_the_lines(labels, num_points, levels)
    _reach_the_bounds(xx, "xx", low, high)
    _reach_the_bounds(yy, "yy", low, high)
    _follow_one_another(labels)
    _begin_with_vertical_lines(xx, yy, labels)
    _are_evenly_spaced(xx, yy, labels, levels)
    passed("spaced_coordinates")


def three_arrays(arrays: Any, total: int) -> list[np.ndarray]:
    """xx, yy and labels, if these are three NumPy arrays of `total` numbers; in float64."""
    arrays = parts(arrays, 3, "three arrays are asked for: return xx, yy, labels.")
    for name, values in zip(["xx", "yy", "labels"], arrays, strict=True):
        is_array(values, (total,), name)
    return [as_array(values) for values in arrays]


def _number_the_lines(labels: np.ndarray, num_points: int, levels: int) -> None:
    """Lines 0 ... 2 levels - 1, each of num_points points."""
    first, last = labels.min(), labels.max()
    expect(first == 0, f"the labels start at {first:g}; lines are numbered from 0.")
    expect((labels == labels.round()).all(), "a label is no whole number; lines are numbered.")
    counts = np.bincount(labels.astype(int)).tolist()
    expect(
        counts != [levels] * 2 * num_points,
        f"there are {len(counts)} lines of {levels} points, not {2 * levels} lines of "
        f"{num_points} points: did you swap num_points and levels?",
    )
    expect(
        last == 2 * levels - 1,
        f"the labels end at {last:g}; {2 * levels} lines are numbered 0 ... {2 * levels - 1}, "
        "the horizontal ones go on after the vertical ones.",
    )
    each = f"each has num_points = {num_points}"
    expect(set(counts) == {num_points}, f"the lines have {counts} points; {each}.")


def _reach_the_bounds(values: np.ndarray, name: str, low: float, high: float) -> None:
    start, end = values.min(), values.max()
    first, lowest = told_apart(start, low)
    last, highest = told_apart(end, high)
    expect(np.isclose(start, low), f"{name} starts at {first}, not at low = {lowest}.")
    expect(
        np.isclose(end, high),
        f"{name} ends at {last}, not at high = {highest}: the last point belongs to the line "
        "(np.linspace has it, np.arange does not).",
    )


def _follow_one_another(labels: np.ndarray) -> None:
    expect(
        (np.diff(labels) >= 0).all(),
        "the points of a line do not follow one another: all points of line 0 first, "
        "then those of line 1.",
    )


def _begin_with_vertical_lines(xx: np.ndarray, yy: np.ndarray, labels: np.ndarray) -> None:
    line = labels == 0
    x_is_fixed = np.allclose(xx[line], xx[line][0])
    y_is_fixed = np.allclose(yy[line], yy[line][0])
    expect(
        x_is_fixed or not y_is_fixed,
        "your grid has y first: line 0 is horizontal. Vertical lines come first, on them x is "
        "fixed; swap the arguments of meshgrid, or xx and yy.",
    )
    expect(x_is_fixed, "line 0 is not vertical: x must be the same for all its points.")


def _are_evenly_spaced(xx: np.ndarray, yy: np.ndarray, labels: np.ndarray, levels: int) -> None:
    """Both the lines and the points along the first, between 10 and 50."""
    spaced = [10, 30, 50]
    vertical = [xx[labels == line][0] for line in range(levels)]
    horizontal = [yy[labels == line][0] for line in range(levels, 2 * levels)]
    along = yy[labels == 0]
    found, right = told_apart(vertical, spaced)
    expect(
        np.allclose(vertical, spaced),
        f"the vertical lines are at x = {found}; evenly spaced from low to high means {right}.",
    )
    found, right = told_apart(horizontal, spaced)
    expect(
        np.allclose(horizontal, spaced),
        f"the horizontal lines are at y = {found}; {right} is right, from top to bottom.",
    )
    points = [10, 20, 30, 40, 50]
    found, right = told_apart(along, points)
    expect(np.allclose(along, points), f"along line 0, y is {found}; {right} is right.")


# Task 3: centres of mass


def center_of_mass(function: Callable[..., Any]) -> None:
    """Check a function that says where the light is.

    Args:
        function: images [N, H, W] -> [N, 2], x and y in pixels.
    """
    images = torch.zeros(2, 4, 6)
    images[0, 1, 4] = 1  # one pixel: its middle
    images[1, 0, 0], images[1, 0, 2] = 0.5, 1.5  # a quarter and three quarters of the light
    right = torch.tensor([[4.5, 1.5], [2.0, 0.5]])
    got = call(function, images=images)
    is_tensor(got, (2, 2), "center_of_mass of two images of 4 x 6 pixels")
    light = images.sum((1, 2))[:, None]
    same(got, right, "the centre of mass", mistaken_centers(right, light))
    for brightness in (1e-6, 1e6):
        got = call(function, images=brightness * images)
        what = f"the centre of mass of the same images with {brightness:g} times the light"
        same(got, right, what)
    passed("center_of_mass")


def mistaken_centers(right: Tensor, light: Tensor) -> Mistakes:
    """What the usual mistakes make of the right centres [2, 2] of images with this light [2, 1]."""
    of_the_batch = right * light / light.sum()
    average = of_the_batch.sum(0).expand(2, 2)
    brightest = torch.tensor([[4.5, 1.5], [2.5, 0.5]])
    lit_alike = torch.tensor([[4.5, 1.5], [1.5, 0.5]])
    own_center = "every image has its own centre"
    not_the_brightest = "you give the brightest pixel; all the light counts, each pixel by its"
    return {
        "x and y are swapped: x, the column, comes first.": right.flip(1),
        "half a pixel too small: the middle of pixel j is at j + 0.5.": right - 0.5,
        "divide by the light of the image: the second is twice as bright.": right * light,
        f"{own_center}: divide by its own light, not by that of the batch.": of_the_batch,
        f"{own_center}; yours are averages over the batch.": average,
        f"{not_the_brightest} brightness.": brightest,
        f"{not_the_brightest} own brightness.": brightest - 0.5,
        "you average over the pixels that are lit; each counts by its brightness.": lit_alike,
    }


# Task 4: the largest error


def worst_error(function: Callable[..., Any]) -> None:
    """Check a function that gives the largest error of a measurement.

    Args:
        function: (render, measure, positions [N, 2], img_size) -> the largest distance in pixels.
    """
    positions = torch.tensor([[10.0, 20.0], [30.0, 12.0], [25.0, 25.0]])
    off = torch.tensor([[0.0, 1.0], [-3.0, -4.0], [0.0, 0.0]])
    render, measure = fake_instruments(positions, off, 32)
    got = call(function, render=render, measure=measure, positions=positions, img_size=32)
    number = is_number(got, "worst_error")
    both = "a distance has both: √(dx² + dy²)."
    mistakes = {
        "this is the average distance; the largest is asked for.": 2.0,
        f"this is the largest difference in one coordinate; {both}": 4.0,
        f"this is the largest difference in x alone; {both}": 3.0,
        "differences have signs: to the left is wrong, too.": 1.0,
        "this is the squared distance; take the root.": 25.0,
        "this is the sum of the differences in x and in y; the distance is √(dx² + dy²).": 7.0,
        "this is the root mean square distance; the largest is asked for.": np.sqrt(26 / 3),
    }
    same(number, 5.0, "the largest of the distances 1, 5 and 0", mistakes)
    passed("worst_error")


def fake_instruments(
    positions: Tensor, off: Tensor, img_size: int
) -> tuple[Callable[..., Tensor], Callable[[Tensor], Tensor]]:
    """A `render` and a `measure` whose errors are known.

    Args:
        positions: Where circles will be drawn [N, 2].
        off: By how much each will be measured wrongly [N, 2].
        img_size: What must reach `render`.

    Returns:
        `render(x, y, size, img_size)`, which writes the position into an image, and
        `measure(images)`, which reads the positions of any number of such images, and errs.
    """

    def render(x: float, y: float, size: float, img_size: int) -> Tensor:
        expect(img_size == wanted, f"render got img_size {img_size}; {wanted} was given.")
        expect(size == 10, f"render got size {size}; the circles have size 10.")
        image = torch.zeros(img_size, img_size)
        image[0, 0], image[0, 1] = float(x), float(y)
        return image

    def measure(images: Tensor) -> Tensor:
        shape = list(images.shape)
        expect(len(shape) == 3, f"measure got images of shape {shape}; it takes [N, H, W].")
        read = images[:, 0, :2]
        distance = (read[:, None] - positions.to(read)).abs().sum(2)  # [images, positions]
        nearest, which = distance.min(1)
        expect(
            (nearest < 1e-3).all(),
            "measure got an image of a circle at none of the positions.",
        )
        return read + off.to(read)[which]

    wanted = img_size
    return render, measure


# Task 5: how many directions


def spectrum(function: Callable[..., Any]) -> None:
    """Check a function that gives the PCA spectrum.

    Args:
        function: images [N, H, W] -> shares of the variance [min(N, H * W)], the largest first.
    """
    # Two directions at right angles and of length 1, along which images vary by ±2 and ±1.
    directions = torch.tensor([[1.0, 1, 1, 1, 0, 0], [1, -1, 1, -1, 0, 0]]).view(2, 2, 3) / 2
    steps = torch.tensor([[2.0, 0], [-2, 0], [0, 1], [0, -1]])
    mean = torch.tensor([[3.0, 0, 1], [2, 5, 1]])
    images = torch.einsum("nk,khw->nhw", steps, directions) + mean
    right = torch.tensor([0.8, 0.2, 0, 0])
    got = call(function, images=images.clone())
    is_tensor(got, (4,), "spectrum of 4 images of 2 x 3 pixels")
    same(got, right, "the share", mistaken_spectra(images, right), 1e-3)
    for brightness in (1e-4, 1e4):
        got = call(function, images=brightness * images)
        what = f"the spectrum of the same images with {brightness:g} times the light"
        same(got, right, what, tolerance=1e-3)
    passed("spectrum")


def mistaken_spectra(images: Tensor, right: Tensor) -> Mistakes:
    """What the usual mistakes make of the images' spectrum, whose sum of squares is 10."""
    flat = images.flatten(1)
    about_zero = torch.linalg.svdvals(flat).square()
    own_mean = flat.mean(1, keepdim=True)
    about_own_mean = torch.linalg.svdvals(flat - own_mean).square()
    roots = right.sqrt()
    return {
        "subtract the mean image first: variance is about the mean.": shares(about_zero),
        "you subtract each image's own mean brightness; "
        "the mean image, over the batch, is asked for.": shares(about_own_mean),
        "these are shares of the singular values; variances are their squares.": shares(roots),
        "the smallest comes first; the largest is asked for.": right.flip(0),
        "these are the variances; divide by their sum to get shares.": right * 10 / 4,
        "these are the variances; divide them by their sum to get shares.": right * 10 / 3,
        "these are sums of squares; divide by their sum to get shares.": right * 10,
        "these are cumulative sums; each direction's own share is asked for.": right.cumsum(0),
    }


def shares(values: Tensor) -> Tensor:
    """Values divided by their sum."""
    return values / values.sum()
