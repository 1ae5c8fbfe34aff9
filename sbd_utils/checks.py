"""What an assignment's visible check says to a student: the property it observed, and the mistake where it can see it.

A check calls the student's function on cases whose answer is known by hand. It prints a line if all is well, and else
raises `NotYet` with a sentence. It imports nothing of this library, and hidden tests try more than it does.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch


class NotYet(AssertionError):
    """An answer is not right yet; a notebook shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def expect(true, sentence: str) -> None:
    """Raise NotYet with the sentence unless true."""
    if not true:
        raise NotYet(sentence)


def passed(what: str) -> None:
    print(f"{what}: the check found nothing wrong. More is tried when it is graded.")


def is_tensor(value, shape: tuple[int, ...], what: str) -> None:
    """A floating-point tensor of this shape, without nan or infinity."""
    expect(isinstance(value, torch.Tensor), f"{what} is a {type(value).__name__}; it must be a torch tensor.")
    expect(tuple(value.shape) == shape, f"{what} has shape {list(value.shape)} where {list(shape)} is asked for.")
    expect(value.is_floating_point(), f"{what} holds {value.dtype}; it must hold floating-point numbers.")
    expect(value.isfinite().all(), f"{what} holds numbers that are not finite.")


def is_number(value, what: str) -> float:
    """A finite number, also as an array or tensor of one element; as a float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise NotYet(f"{what} is {value!r}; it must be a number.") from None
    expect(np.isfinite(number), f"{what} is {number}; it must be finite.")
    return number


def same(got, right, what: str, mistakes: Mapping[str, object] = {}, tolerance: float = 1e-4) -> None:
    """Compare numbers; the sentence of a mistake whose value is what was got, or else the largest difference."""
    got, right = as_array(got), as_array(right)
    expect(got.shape == right.shape, f"{what} has shape {list(got.shape)} where {list(right.shape)} is asked for.")
    if close(got, right, tolerance):
        return
    for sentence, wrong in mistakes.items():
        if close(got, as_array(wrong), tolerance):
            raise NotYet(sentence)
    if got.size <= 4:
        raise NotYet(f"{what} is {short(got)} where {short(right)} is right.")
    difference = np.abs(got - right)
    at = np.unravel_index(np.nan_to_num(difference, nan=np.inf).argmax(), difference.shape)
    raise NotYet(f"{what}: the number at {[int(i) for i in at]} is {short(got[at])} where {short(right[at])} is right.")


def close(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))


def as_array(value) -> np.ndarray:
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else value
    return np.asarray(value, dtype=np.float64)


def short(value) -> str:
    return " ".join(np.array2string(np.asarray(value), precision=3, separator=",").split()).replace("[ ", "[")


@contextlib.contextmanager
def without(*functions: Callable) -> Iterator[None]:
    """Take functions of the library away, under every name that they have been given; classes lose `__init__`.

    In the block, a call of one raises NotYet: the task asks for a function of one's own.
    """
    codes = {function: function.__code__ for function in functions if not isinstance(function, type)}
    starts = {kind: kind.__init__ for kind in functions if isinstance(kind, type)}
    try:
        for function in codes:
            function.__code__ = _taken_away.__code__
        for kind in starts:
            kind.__init__ = _taken_away
        yield
    finally:
        for function, code in codes.items():
            function.__code__ = code
        for kind, start in starts.items():
            kind.__init__ = start


def _taken_away(*args, **kwargs):
    from sbd_utils.checks import NotYet  # this code runs as a function of another module

    raise NotYet("you call the library's own function for this task; it is taken away here: write it yourself.")


# Assignment 1: pictures from factors


def circle(render: Callable) -> None:
    """render(x, y, size, img_size) -> [img_size, img_size], the part of each pixel that a disc covers."""
    x, y, size, img_size = 20.5, 12.25, 10, 32
    image = render(x, y, size, img_size)
    what = f"circle({x}, {y}, {size}, {img_size})"
    is_tensor(image, (img_size, img_size), what)
    expect(image.dtype == torch.float32, f"{what} holds {image.dtype}; torch.float32 is asked for.")
    expect(image.min() >= 0, f"{what} goes down to {image.min():.3g}; a part of a pixel is never below 0.")
    expect(image.max() <= 1 + 1e-6, f"{what} goes up to {image.max():.3g}; a pixel that is covered entirely has 1.")
    light = image.double().sum().item()
    expect(light > 0, f"{what} is black.")
    levels = len(image.mul(1000).round().unique())
    expect(
        levels > 2,
        f"every pixel is {short(image.unique())[1:-1]}: the edge must be soft, a pixel has the part that is covered.",
    )
    at = torch.arange(img_size) + 0.5
    found = (image.double().sum(0) @ at.double()).item() / light, (image.double().sum(1) @ at.double()).item() / light
    where = f"the light's centre is at x = {found[0]:.2f}, y = {found[1]:.2f} instead of ({x}, {y})"
    mistakes = {
        "x and y are swapped: x counts columns (the second index), y counts rows (the first).": (y, x),
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
    expect(not 3.5 < light / area < 4.5, f"{amount}, four times as much: size is the diameter, not the radius.")
    expect(not 1.15 < light / area < 1.4, f"{amount}: is it a square?")
    expect(levels >= 12, f"there are only {levels} grey levels: measure the part that is covered more finely.")
    soft = int(((image > 0.01) & (image < 0.99)).sum())
    expect(soft <= 48, f"{soft} pixels are neither black nor white; only the 36 that the edge crosses should be grey.")
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
    expect(isinstance(result, tuple) and len(result) == 3, "three arrays are asked for: return xx, yy, labels.")
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
        (counts == num_points).all(), f"the lines have {counts.tolist()} points; each has num_points = {num_points}."
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
        "divide by the light of the image: the second one is twice as bright as the first.": right * light,
        "every image has its own centre: divide by its own light, not by that of the batch.": right
        * light
        / light.sum(),
        "every image has its own centre; yours are averages over the batch.": (right * light / light.sum())
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
        expect(images.ndim == 3, f"measure got images of shape {list(images.shape)}; it takes [N, H, W]: stack them.")
        expect(len(images) == len(off), f"measure got {len(images)} images of {len(off)} positions.")
        return images[:, 0, :2] + off

    return render, measure


def spectrum(function: Callable) -> None:
    """function(images [N, H, W]) -> shares of the variance [min(N, H · W)], the largest first"""
    directions = torch.tensor([[1.0, 1, 1, 1, 0, 0], [1, -1, 1, -1, 0, 0]]).view(2, 2, 3) / 2  # orthogonal, length 1
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


# Assignment 2: the broadcast


def broadcast(function: Callable) -> None:
    """function(z [N, K], height, width) -> [N, K + 2, height, width]"""
    z = torch.tensor([[3.0, 4, 5], [6, 7, 8]], requires_grad=True)
    got = function(z, 2, 3)
    what = "broadcast of 2 codes of 3 numbers to 2 x 3 pixels"
    is_tensor(got, (2, 5, 2, 3), what)
    x = torch.tensor([[-1.0, 0, 1], [-1, 0, 1]]).expand(2, 1, 2, 3)
    y = torch.tensor([[-1.0, -1, -1], [1, 1, 1]]).expand(2, 1, 2, 3)
    tiled = z.detach()[:, :, None, None].expand(2, 3, 2, 3)
    edges = torch.tensor([-2 / 3, 0, 2 / 3]).expand(2, 1, 2, 3), torch.tensor([[-0.5], [0.5]]).expand(2, 1, 2, 3)
    mistakes = {
        "y comes before x: channel K is x, which grows with the column.": [tiled, y, x],
        "the coordinates come first; the code's channels do, then x, then y.": [x, y, tiled],
        "your coordinates run from 0 to 1; from -1 to 1 is asked for.": [tiled, (x + 1) / 2, (y + 1) / 2],
        "-1 is the middle of the first pixel, not its edge: the first column has x = -1, the last x = 1.": [
            tiled,
            *edges,
        ],
        "y points upwards; it grows with the row.": [tiled, x, -y],
    }
    mistakes = {sentence: torch.cat(parts, 1) for sentence, parts in mistakes.items()}
    expect(
        not close(as_array(got)[:, 3:], as_array(torch.cat([x, y], 1)), 1e-4) or (got[:, :3] == tiled).all(),
        "the coordinates are right, but channel k of image n must be z[n, k] at every pixel; yours mixes them: "
        "a reshape does not know what its axes mean.",
    )
    same(got, torch.cat([tiled, x, y], 1), what, mistakes)
    expect(got.requires_grad, "no gradient reaches z: an encoder could not learn through this (detach, .data, numpy?).")
    passed("broadcast")


def kl(function: Callable) -> None:
    """function(mean [N, K], logvar [N, K]) -> [N] in nats"""
    mean = torch.tensor([[0.0, 0, 0], [1, -2, 0], [0, 0, 0]])
    var = torch.tensor([[1.0, 1, 1], [1, 1, 1], [np.e, 1, np.e**-1]])
    logvar = var.log()
    right = torch.tensor([0.0, 2.5, 0.5 * (np.e + 1 / np.e - 2)])
    got = function(mean, logvar)
    expect(
        not (isinstance(got, torch.Tensor) and got.ndim == 0),
        "this is one number; one for each image is asked for, [N]: sum over the latents only.",
    )
    expect(
        not (isinstance(got, torch.Tensor) and got.shape == mean.shape),
        "this is one number for each latent; sum over the latents to get [N].",
    )
    is_tensor(got, (3,), "the KL of 3 images with 3 latents")
    spread, square = logvar.exp(), mean.square()
    mistakes = {
        "the sign is wrong: a KL divergence is never negative.": -right,
        "this is the mean over the latents; the sum is asked for.": right / 3,
        "the factor ½ is missing.": 2 * right,
        "the variance is exp(logvar); you have used logvar in its place.": 0.5 * (square + logvar - logvar - 1).sum(1),
        "logvar is the log-variance, not the log of the standard deviation: σ² = exp(logvar).": 0.5
        * (square + (2 * logvar).exp() - 2 * logvar - 1).sum(1),
        "you have the standard deviation where the variance belongs: σ² = exp(logvar).": 0.5
        * (square + (logvar / 2).exp() - logvar - 1).sum(1),
        "the mean must be squared.": 0.5 * (mean + spread - logvar - 1).sum(1),
        "this is in bits; nats are asked for: the natural logarithm.": right / np.log(2),
        "it is -logvar, +σ²: the two have changed places.": 0.5 * (square - spread + logvar + 1).sum(1),
        "the 1 is missing: the KL of the prior to itself is 0.": 0.5 * (square + spread - logvar).sum(1),
        "this sums over the batch; sum over the latents.": 0.5 * (square + spread - logvar - 1).sum(0),
    }
    same(got, right, "the KL of each image", mistakes)
    passed("kl")


def sample(function: Callable) -> None:
    """function(mean [N, K], logvar [N, K], noise [N, K]) -> [N, K]"""
    mean = torch.tensor([[1.0, 2], [3, 4]], requires_grad=True)
    logvar = torch.log(torch.tensor([[4.0, 9], [1, 0.25]])).requires_grad_()
    noise = torch.tensor([[1.0, -1], [2, 2]])
    got = function(mean, logvar, noise)
    is_tensor(got, (2, 2), "sample of 2 images with 2 latents")
    std, m = logvar.detach().exp().sqrt(), mean.detach()
    mistakes = {
        "you multiply the noise by the variance; the standard deviation is its root, exp(logvar / 2).": m
        + std**2 * noise,
        "you multiply the noise by logvar; the standard deviation is exp(logvar / 2).": m + std.log() * 2 * noise,
        "you multiply the noise by logvar / 2; the exponential is missing.": m + std.log() * noise,
        "this is the mean: the noise is missing.": m,
        "this is the noise alone: the mean is missing.": std * noise,
        "the noise is added as it is: multiply it by the standard deviation, exp(logvar / 2).": m + noise,
        "the sign of the noise is wrong.": m - std * noise,
        "the standard deviation is exp(+logvar / 2).": m + noise / std,
    }
    again = function(mean, logvar, noise)
    expect(
        torch.equal(got, again),
        "two calls with the same noise give different samples: use the noise that is given, do not draw your own.",
    )
    same(got, m + std * noise, "the sample", mistakes)
    expect(got.requires_grad, "no gradient reaches mean and logvar: the encoder could not learn (detach, no_grad?).")
    got.sum().backward()
    expect(mean.grad is not None, "no gradient reaches mean: the encoder could not learn.")
    expect(logvar.grad is not None, "no gradient reaches logvar: the encoder could not learn how sure to be.")
    passed("sample")


def receptive_field(function: Callable) -> None:
    """function([(kernel, stride), ...]) -> width in pixels of the input"""
    cases = [
        ([(3, 1)], 3, {}),
        (
            [(3, 1)] * 3,
            7,
            {
                "this is the sum of the kernels; each further layer adds kernel - 1.": 9,
                "this is the product of the kernels; each further layer adds kernel - 1.": 27,
                "one pixel is missing: a unit sees at least one.": 6,
                "one pixel too many: begin with 1.": 8,
                "this is half of it, seen from the middle to one side.": 3,
                "this is an area; the width is asked for.": 49,
            },
        ),
        (
            [(4, 2), (4, 2)],
            10,
            {
                "the stride does not count yet: after a layer of stride 2, neighbours are 2 pixels apart.": 7,
                "a layer's own stride does not widen what it sees: multiply after you have added, not before.": 19,
            },
        ),
        ([(4, 2)] * 3, 22, {"strides multiply: after two layers of stride 2, neighbours are 4 pixels apart.": 16}),
    ]
    for layers, right, mistakes in cases:
        got = is_number(function(layers), f"receptive_field({layers})")
        same(got, right, f"receptive_field({layers})", mistakes)
    passed("receptive_field")


def multiply_adds(function: Callable) -> None:
    """function(channels, kernel, height, width) -> multiply-adds of stride-1 convolutions that keep the size"""
    got = is_number(function([5, 7, 2], 3, 4, 6), "multiply_adds([5, 7, 2], 3, 4, 6)")
    one, pixels = 5 * 7 + 7 * 2, 24
    mistakes = {
        "these are the weights; each is used once for every pixel.": 9 * one,
        "a kernel is as high as wide: kernel² weights for each pair of channels.": 3 * one * pixels,
        "the kernel is missing.": one * pixels,
        "a multiply-add counts once; you count its two operations.": 2 * 9 * one * pixels,
        "every output channel reads every input channel: multiply the two.": 9 * (5 + 7) * pixels,
        "every output channel reads every input channel: multiply the two numbers.": 9 * (7 + 2) * pixels,
        "biases are no multiply-adds.": 9 * one * pixels + 9 * pixels,
        "this is the last layer alone; add up all layers.": 9 * 14 * pixels,
        "this is the first layer alone; add up all layers.": 9 * 35 * pixels,
        "the image has height · width pixels, not height².": 9 * one * 16,
        "the image has height · width pixels, not width².": 9 * one * 36,
        "the layers' counts add up; you multiply them.": 9 * 35 * pixels * 9 * 14 * pixels,
    }
    same(got, 9 * one * pixels, "multiply_adds([5, 7, 2], 3, 4, 6)", mistakes, 1e-9)
    passed("multiply_adds")


def square_by_hand(paint: Callable, weights: Callable) -> None:
    """paint(weights(), z [N, 3], img_size) -> [N, img_size, img_size]; z: x, y and half the side of a square"""
    result = weights()
    expect(isinstance(result, tuple) and len(result) == 4, "four tensors are asked for: w1, b1, w2, b2.")
    w1, b1, w2, b2 = result
    hidden = len(w1)
    for name, value, shape in [
        ("w1", w1, (hidden, 5)),
        ("b1", b1, (hidden,)),
        ("w2", w2, (1, hidden)),
        ("b2", b2, (1,)),
    ]:
        is_tensor(value, shape, name)
    measured = [square_seen(paint(result, torch.tensor([z]), 65)[0]) for z in SQUARES]
    for z, seen in zip(SQUARES, measured, strict=True):
        expect(seen["light"] > 0.002, f"at z = {z} the picture is black.")
        expect(seen["light"] < 3.5, f"at z = {z} the picture is (nearly) all white.")
    say = "at z = {} the light's centre is at ({:.2f}, {:.2f}) in coordinates from -1 to 1"
    for z, seen in zip(SQUARES, measured, strict=True):
        where, (x, y) = say.format(z, *seen["center"]), seen["center"]
        swapped = abs(x - z[1]) + abs(y - z[0]) < 0.06
        expect(not swapped, f"{where}: x and y are swapped. The inputs are z1, z2, z3, x, y, in this order.")
        expect(
            not abs(x + z[0]) + abs(y + z[1]) < 0.06,
            f"{where}: the signs of z1 and z2 are wrong: x - z1 measures the way.",
        )
        expect(abs(x - z[0]) + abs(y - z[1]) < 0.06, f"{where}.")
    widths = [seen["width"] for seen in measured]
    expect(max(widths) - min(widths) > 0.05, f"the width is {widths[0]:.2f} whatever z3 is; z3 is half the side.")
    for z, seen in zip(SQUARES, measured, strict=True):
        sides = f"at z = {z} the light is {seen['width']:.2f} wide and {seen['height']:.2f} high"
        fill = seen["light"] / (seen["width"] * seen["height"])
        expect(
            not fill < 0.7,
            f"{sides}, but fills {fill:.0%} of that: a diamond? Each of the four sides needs a unit of its own.",
        )
        expect(not 0.7 <= fill < 0.88, f"{sides}, but fills {fill:.0%} of that: its corners are cut off.")
        expect(not abs(seen["width"] - z[2]) < 0.1 * z[2], f"{sides}: z3 is *half* the side; yours is the whole side.")
        right = max(abs(seen["width"] - 2 * z[2]), abs(seen["height"] - 2 * z[2])) < 0.12
        expect(right, f"{sides}; both should be 2 · z3 = {2 * z[2]:.2f}.")
    passed("square_weights")


SQUARES = [[0.3, -0.2, 0.2], [-0.4, 0.5, 0.35], [0.0, 0.1, 0.5]]


def square_seen(image: torch.Tensor) -> dict:
    """Centre, width and height (in coordinates from -1 to 1) of what is light in an image [H, H]; light: its area."""
    height = len(image)
    expect(image.shape == (height, height), f"paint gives shape {list(image.shape)}.")
    at = torch.linspace(-1, 1, height)
    light = image.sum().item()
    pixel = 2 / (height - 1)
    if light == 0:
        return dict(light=0.0, center=(0.0, 0.0), width=0.0, height=0.0)
    columns, rows = image.amax(0) > 0.5, image.amax(1) > 0.5
    return dict(
        light=light * pixel**2,
        center=((image.sum(0) @ at).item() / light, (image.sum(1) @ at).item() / light),
        width=columns.sum().item() * pixel,
        height=rows.sum().item() * pixel,
    )


# Assignment 3: which latents matter


def average_variance(function: Callable) -> None:
    """function(encoder, batches) -> [K]"""
    var = torch.tensor([[0.01, 1.0], [0.03, 1.0], [0.5, 4.0]])
    mean = torch.tensor([[3.0, 0], [-3, 0], [0, 0]])

    def encoder(x):  # an image's only pixel is its number
        number = x.flatten(1)[:, 0].long()
        return mean[number], var[number].log()

    images = torch.arange(3.0).view(3, 1, 1, 1)
    got = function(encoder, [images[:2], images[2:]])
    is_tensor(got, (2,), "the average variance of 2 latents")
    mistakes = {
        "this is the average of the batches' averages; batches differ in size, every image counts once.": (
            var[:2].mean(0) + var[2]
        )
        / 2,
        "the average must be taken of variances: exp(logvar) first, then the mean.": var.log().mean(0).exp(),
        "this is the average log-variance; the variance is exp(logvar).": var.log().mean(0),
        "this is the average standard deviation; the variance is exp(logvar), without a half.": var.sqrt().mean(0),
        "logvar is already the logarithm of the variance: you have squared it.": (var**2).mean(0),
        "this is the variance of the means over images; the encoder's own are asked for.": mean.var(0),
        "this is the variance of the means over images; the encoder's own variances are asked for.": mean.var(
            0, unbiased=False
        ),
        "this is the average of the means: the encoder gives mean, logvar in this order.": mean.mean(0),
        "exp of the mean: the encoder gives mean, logvar in this order.": mean.exp().mean(0),
        "this is the first batch alone.": var[:2].mean(0),
        "this is the last batch alone.": var[2],
        "this is a sum; divide by the number of images.": var.sum(0),
        "divide by the number of images, not of batches.": var.sum(0) / 2,
        "this is the median; the mean is asked for.": var.median(0).values,
    }
    same(got, var.mean(0), "the average variance", mistakes)
    expect(not got.requires_grad, "the result carries a gradient; use torch.no_grad().")
    passed("average_variance")


def informative_pair(function: Callable) -> None:
    """function(avg_var [K]) -> two indices, the smallest variance first"""
    cases = {(0.9, 0.2, 1.0, 0.05): (3, 1), (0.01, 0.02, 0.9): (0, 1), (0.5, 0.5, 0.1): (2, 0)}
    for avg_var, right in cases.items():
        got = function(torch.tensor(avg_var))
        what = f"of the variances {list(avg_var)} you give {got!r}"
        expect(hasattr(got, "__len__") and len(got) == 2, f"{what}; two indices are asked for.")
        got = tuple(float(v) for v in got)
        ordered = sorted(range(len(avg_var)), key=lambda i: avg_var[i])
        values = (avg_var[right[0]], avg_var[right[1]])
        expect(not np.allclose(got, values), f"{what}: these are variances; their indices are asked for.")
        expect(
            got != (ordered[-1], ordered[-2]), f"{what}: these are the largest; a *small* variance carries information."
        )
        expect(
            got != (ordered[-2], ordered[-1]), f"{what}: these are the largest; a *small* variance carries information."
        )
        expect(got != (right[0] + 1, right[1] + 1), f"{what}: indices start at 0.")
        if got == right[::-1] and avg_var[right[0]] != avg_var[right[1]]:
            raise NotYet(f"{what}: the smallest comes first; {right} is right.")
        expect(got == right, f"{what}; {right} is right.")
    passed("informative_pair")


def affine_fit(function: Callable) -> None:
    """function(xy [N, 2], z [N, 2]) -> matrix [2, 2], shift [2], r2; z is about xy @ matrix + shift"""
    xy = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    matrix, shift = np.array([[1.0, 2], [-1, 0.5]]), np.array([10.0, -3])
    noise = np.array([[1.0, 0], [-1, 0], [-1, 0], [1, 0]])  # cannot be explained by x and y
    result = function(xy, xy @ matrix + shift + noise)
    expect(isinstance(result, tuple) and len(result) == 3, "three values are asked for: return matrix, shift, r2.")
    got_matrix, got_shift, got_r2 = as_array(result[0]), as_array(result[1]), is_number(result[2], "r2")
    x1 = np.linalg.lstsq(xy, xy @ matrix + shift + noise, rcond=None)[0]
    mistakes = {
        "the matrix is transposed: z = xy @ matrix + shift, rows are points.": matrix.T,
        "there is no shift in your fit: append a column of ones to xy.": x1,
    }
    same(got_matrix, matrix, "the matrix", mistakes)
    same(got_shift, shift, "the shift")
    first, second = 1 - 4 / 12, 1.0  # of the two columns
    total = 12 + 17.0
    mistakes = {
        "this is the larger of the two coordinates' R²; the smaller is asked for.": second,
        "this is the average of the two coordinates' R²; the smaller is asked for.": (first + second) / 2,
        "this is the R² of both coordinates together; the smaller of the two is asked for.": 1 - 4 / total,
        "this is the correlation; R² is 1 - (sum of squared residuals) / (sum of squares about the mean).": np.sqrt(
            first
        ),
        "this is the part that is *not* explained; R² is 1 minus it.": 1 - first,
        "squares are taken about zero; they belong about the mean of z.": 1 - 4 / (12 + 4 * 10.0**2),
        "divide by the sum of squares of z about its mean, not by N.": 1 - 4 / 4,
    }
    same(got_r2, first, "r2", mistakes)
    passed("affine_fit")


def alignment(function: Callable) -> None:
    """function(xy [N, 2], z [N, 2]) -> the smaller over latents of the largest squared correlation with a factor"""
    xy = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    z = np.stack([xy @ [2.0, 1.0], xy @ [0.75, -3.0]], 1) + 5  # squared correlations 4/5, 1/5; 1/17, 16/17
    got = is_number(function(xy, z), "alignment")
    mistakes = {
        "this is the larger of the two latents' values; the smaller is asked for.": 16 / 17,
        "this is the average over the latents; the smaller is asked for.": (4 / 5 + 16 / 17) / 2,
        "these are correlations; square them.": 2 / np.sqrt(5),
        "this is the smallest correlation; for each latent the *largest* counts, and of those the smaller.": 1 / 17,
        "a negative correlation counts, too: square before you take the largest.": np.sqrt(1 / 17),
    }
    same(got, 0.8, "alignment", mistakes)
    swapped = is_number(function(xy, z[:, ::-1]), "alignment")
    same(swapped, 0.8, "alignment with the two latents exchanged (their order must not matter)")
    mirrored = is_number(function(xy, -z), "alignment")
    same(mirrored, 0.8, "alignment with both latents' signs changed (signs must not matter)")
    passed("alignment")


def three_scores(xy: np.ndarray, z: np.ndarray) -> tuple[float, float, float]:
    """Fit, alignment and read back of codes z [N, 2] of positions xy [N, 2], computed by projection."""

    def worst_r2(a, b):
        basis, stretch, _ = np.linalg.svd(a - a.mean(0), full_matrices=False)
        basis, b = basis[:, stretch > 1e-9 * stretch[0]], b - b.mean(0)  # what a spans; [N, 1 or 2], [N, 2]
        return float((np.square(basis.T @ b).sum(0) / np.square(b).sum(0)).min())

    aligned = np.square(np.corrcoef(xy.T, z.T)[2:, :2]).max(1).min()
    return worst_r2(xy, z), float(aligned), worst_r2(z, xy)


def predictions(given: Mapping, computed: Mapping) -> None:
    """Two tables {code: (fit, alignment, read back)}: what was predicted, and what was computed."""
    expect(
        isinstance(given, Mapping) and set(given) == set(computed), f"a row for each of {list(computed)} is asked for."
    )
    for name, row in given.items():
        expect(len(row) == 3, f"{name}: three numbers are asked for: fit, alignment, read back.")
        for value in row:
            expect(value in (0, 0.5, 1), f"{name}: {value!r} is none of 0, 0.5 and 1.")
    wrong = sum(abs(a - b) > 0.1 for name in computed for a, b in zip(given[name], computed[name], strict=True))
    expect(wrong == 0, f"{wrong} of {3 * len(computed)} numbers differ from what was computed. Which, and why?")
    passed("predictions")


# Assignment 4: does it hold?


def paired_summary(function: Callable) -> None:
    """function(a [S], b [S]) -> mean difference, its standard error, number of seeds with a > b"""
    a, b = np.array([3.0, 5, 7, 4]), np.array([1.0, 4, 8, 2])  # differences 2, 1, -1, 2
    result = function(a, b)
    expect(isinstance(result, tuple) and len(result) == 3, "three numbers are asked for: difference, error, wins.")
    difference, error, wins = (is_number(v, n) for v, n in zip(result, ["difference", "error", "wins"], strict=True))
    d = a - b
    mistakes = {"the sign is wrong: the difference is a - b.": -1.0, "this is a sum; the mean is asked for.": 4.0}
    mistakes |= {
        "these are distances; signs count.": np.abs(d).mean(),
        "this is the median; the mean is asked for.": 1.5,
    }
    same(difference, 1.0, "the mean difference", mistakes)
    unpaired = np.sqrt(a.var(ddof=1) / 4 + b.var(ddof=1) / 4)
    mistakes = {
        "divide by S - 1 for the variance of a sample (ddof=1).": d.std() / 2,
        "this is the standard deviation; the standard error of a mean is that divided by √S.": d.std(ddof=1),
        "this is the standard deviation with ddof=0; the standard error divides by √S, and by S - 1 within.": d.std(),
        "this is the variance of the mean; take the root.": d.var(ddof=1) / 4,
        "the runs are paired by seed: take the standard error of the differences, not of a and b apart.": unpaired,
        "divide by √S, not by S.": d.std(ddof=1) / 4,
    }
    same(error, d.std(ddof=1) / 2, "the standard error", mistakes)
    mistakes = {"these are the seeds with a < b.": 1, "this is a share; the number of seeds is asked for.": 0.75}
    same(wins, 3, "the number of seeds with a > b", mistakes)
    passed("paired_summary")


def sign_test(function: Callable) -> None:
    """function(wins, seeds) -> two-sided p-value of the sign test"""
    for wins, seeds, right in [(5, 5, 0.0625), (0, 5, 0.0625), (9, 10, 22 / 1024), (1, 10, 22 / 1024), (3, 6, 1.0)]:
        what = f"sign_test({wins}, {seeds})"
        got = is_number(function(wins, seeds), what)
        expect(got <= 1 + 1e-9, f"{what} is {got:.3g}; a probability is at most 1.")
        mistakes = {
            f"{what}: this is one-sided; had b won as often, you would be as surprised: add that side.": right / 2,
            f"{what}: add the more extreme outcomes to the one that was seen.": {9: 20 / 1024, 1: 20 / 1024}.get(
                wins, -1
            ),
            f"{what}: this is the probability of one outcome; add those as extreme or more, on both sides.": {
                9: 10 / 1024,
                1: 10 / 1024,
                3: 20 / 64,
            }.get(wins, -1),
            f"{what}: this is 1 minus the p-value.": 1 - right,
        }
        same(got, right, what, mistakes, 1e-6)
    passed("sign_test")


def rows(table: list, fewest_seeds: int = 3) -> None:
    """The record of an experiment: dicts with 'decoder', 'seed' and numbers, the same seeds for two decoders."""
    expect(isinstance(table, list) and table, "no runs are recorded in rows.")
    for row in table:
        expect(isinstance(row, dict) and {"decoder", "seed"} <= set(row), f"{row!r} lacks 'decoder' or 'seed'.")
        expect(len(row) > 2, f"{row!r} records no result.")
    seeds: dict = {}
    for row in table:
        seeds.setdefault(row["decoder"], []).append(row["seed"])
    expect(len(seeds) == 2, f"runs of {sorted(seeds)} are recorded; two decoders are to be compared.")
    a, b = (sorted(values) for values in seeds.values())
    expect(a == b, f"the two decoders have other seeds: {a} and {b}; pairs need the same.")
    expect(len(set(a)) >= fewest_seeds, f"{len(set(a))} seeds are recorded; at least {fewest_seeds} are asked for.")
    passed("rows")
