"""The checks of assignment 2: tiling, KL, sample, receptive field, cost, a square set by hand."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sbd_utils.checks.kit import (
    Mistakes,
    as_array,
    call,
    close,
    differentiable,
    expect,
    gradient_reaches,
    gradients,
    is_number,
    is_tensor,
    parts,
    passed,
    same,
)

# Task 1: tile and append


def broadcast(function: Callable[..., Any]) -> None:
    """Check a function that tiles codes and appends coordinates.

    Args:
        function: (z [N, K], height, width) -> [N, K + 2, height, width].
    """
    z = torch.tensor([[3.0, 4, 5], [6, 7, 8]])
    given = differentiable(z)
    got = call(function, z=given, height=2, width=3)
    what = "broadcast of 2 codes of 3 numbers to 2 x 3 pixels"
    is_tensor(got, (2, 5, 2, 3), what)
    tiled = z[:, :, None, None].expand(2, 3, 2, 3)
    x = torch.tensor([[-1.0, 0, 1], [-1, 0, 1]]).expand(2, 1, 2, 3)
    y = torch.tensor([[-1.0, -1, -1], [1, 1, 1]]).expand(2, 1, 2, 3)
    coordinates_are_right = close(as_array(got)[:, 3:], torch.cat([x, y], 1), 1e-4)
    expect(
        not coordinates_are_right or close(as_array(got)[:, :3], tiled, 1e-4),
        "the coordinates are right, but channel k of image n must be z[n, k] at every pixel; "
        "yours mixes them: a reshape does not know what its axes mean.",
    )
    same(got, torch.cat([tiled, x, y], 1), what, mistaken_broadcasts(tiled, x, y))
    weights = torch.arange(60.0).view(2, 5, 2, 3) % 7 + 1
    (found,) = gradients(got, [given], weights)
    right = weights[:, :3].sum((2, 3))
    learn = "an encoder could not learn through this (detach, .data, numpy, a new tensor?)."
    gradient_reaches(found, right, "z", learn)
    passed("broadcast")


def mistaken_broadcasts(tiled: Tensor, x: Tensor, y: Tensor) -> Mistakes:
    """What the usual mistakes make of the tiled code and the coordinates of 2 x 3 pixels."""
    x_of_edges = torch.tensor([-2 / 3, 0, 2 / 3]).expand(2, 1, 2, 3)
    y_of_edges = torch.tensor([[-0.5], [0.5]]).expand(2, 1, 2, 3)
    from_0 = [tiled, (x + 1) / 2, (y + 1) / 2]
    channels = {
        "y comes before x: channel K is x, which grows with the column.": [tiled, y, x],
        "the coordinates come first; the code's channels do, then x, then y.": [x, y, tiled],
        "your coordinates run from 0 to 1; from -1 to 1 is asked for.": from_0,
        "-1 is the middle of the first pixel, not its edge: the first column has x = -1, "
        "the last x = 1.": [tiled, x_of_edges, y_of_edges],
        "y points upwards; it grows with the row.": [tiled, x, -y],
    }
    return {sentence: torch.cat(parts, 1) for sentence, parts in channels.items()}


# Task 2: the KL divergence


def kl(function: Callable[..., Any]) -> None:
    """Check a function that gives the KL divergence to the prior.

    Args:
        function: (mean [N, K], logvar [N, K]) -> [N] in nats.
    """
    mean = torch.tensor([[0.0, 0, 0], [1, -2, 0], [0, 0, 0]])
    logvar = torch.tensor([[0.0, 0, 0], [0, 0, 0], [1, 0, -1]])
    right = torch.tensor([0, 2.5, 0.5 * (math.e + 1 / math.e - 2)])
    got = call(function, mean=mean, logvar=logvar)
    shape = list(got.shape) if isinstance(got, Tensor) else None
    expect(
        shape != [],
        "this is one number; one for each image is asked for, [N]: sum over the latents only.",
    )
    expect(
        shape != [3, 3],
        "this is one number for each latent; sum over the latents to get [N].",
    )
    is_tensor(got, (3,), "the KL of 3 images with 3 latents")
    same(got, right, "the KL of each image", mistaken_kls(mean, logvar, right))
    _kl_of_extremes(function)
    passed("kl")


def mistaken_kls(mean: Tensor, logvar: Tensor, right: Tensor) -> Mistakes:
    """What the usual mistakes make of the KL divergences of 3 images with 3 latents."""
    square, variance = mean.square(), logvar.exp()
    not_exponentiated = (square + logvar - logvar - 1).sum(1) / 2
    log_of_deviation = (square + (2 * logvar).exp() - 2 * logvar - 1).sum(1) / 2
    deviation = (square + (logvar / 2).exp() - logvar - 1).sum(1) / 2
    not_squared = (mean + variance - logvar - 1).sum(1) / 2
    exchanged = (square - variance + logvar + 1).sum(1) / 2
    without_1 = (square + variance - logvar).sum(1) / 2
    over_batch = (square + variance - logvar - 1).sum(0) / 2
    return {
        "the sign is wrong: a KL divergence is never negative.": -right,
        "this is the mean over the latents; the sum is asked for.": right / 3,
        "the factor ½ is missing.": 2 * right,
        "the variance is exp(logvar); you have used logvar in its place.": not_exponentiated,
        "logvar is the log-variance, not the log of the standard deviation: "
        "σ² = exp(logvar).": log_of_deviation,
        "you have the standard deviation where the variance belongs: σ² = exp(logvar).": deviation,
        "the mean must be squared.": not_squared,
        "this is in bits; nats are asked for: the natural logarithm.": right / math.log(2),
        "it is -logvar, +σ²: the two have changed places.": exchanged,
        "the 1 is missing: the KL of the prior to itself is 0.": without_1,
        "this sums over the batch; sum over the latents.": over_batch,
    }


def _kl_of_extremes(function: Callable[..., Any]) -> None:
    """Tiny and huge variances, where a number that was added, or a limit, shows."""
    for number in (-20, 20):
        logvar = torch.full((2, 1), float(number))
        got = call(function, mean=torch.zeros(2, 1), logvar=logvar)
        right = (math.exp(number) - number - 1) / 2
        what = f"the KL for mean 0 and logvar {number} (use logvar as it is, neither cut nor made"
        same(got, [right, right], f"{what} anew as log(exp(logvar) + a little))")


# Task 3: a sample


def sample(function: Callable[..., Any]) -> None:
    """Check a function that draws a reparameterised sample.

    Args:
        function: (mean [N, K], logvar [N, K], noise [N, K]) -> [N, K].
    """
    mean = torch.tensor([[1.0, 2], [3, 4]])
    std = torch.tensor([[2.0, 3], [1, 0.5]])
    noise = torch.tensor([[1.0, -1], [2, 2]])
    given_mean, given_logvar = differentiable(mean), differentiable(2 * std.log())
    got = call(function, mean=given_mean, logvar=given_logvar, noise=noise)
    is_tensor(got, (2, 2), "sample of 2 images with 2 latents")
    again = call(function, mean=given_mean, logvar=given_logvar, noise=noise)
    expect(
        torch.equal(got, again),
        "two calls with the same noise give different samples: use the noise that is given, "
        "do not draw your own.",
    )
    same(got, mean + std * noise, "the sample", mistaken_samples(mean, std, noise))
    _sample_has_gradients(got, given_mean, given_logvar, std * noise)
    _sample_of_extremes(function)
    passed("sample")


def mistaken_samples(mean: Tensor, std: Tensor, noise: Tensor) -> Mistakes:
    """What the usual mistakes make of the samples."""
    logvar = 2 * std.log()
    not_exponentiated = mean + logvar / 2 * noise
    is_std = "the standard deviation is exp(logvar / 2)"
    return {
        "you multiply the noise by the variance; the standard deviation is its root, "
        "exp(logvar / 2).": mean + std.square() * noise,
        f"you multiply the noise by logvar; {is_std}.": mean + logvar * noise,
        "you multiply the noise by logvar / 2; the exponential is missing.": not_exponentiated,
        "this is the mean: the noise is missing.": mean,
        "this is the noise alone: the mean is missing.": std * noise,
        f"the noise is added as it is: multiply it by its scale; {is_std}.": mean + noise,
        "the sign of the noise is wrong.": mean - std * noise,
        "the standard deviation is exp(+logvar / 2).": mean + noise / std,
    }


def _sample_has_gradients(got: Tensor, mean: Tensor, logvar: Tensor, deviation: Tensor) -> None:
    """The slopes: d sample / d mean is 1, d sample / d logvar half the way from the mean."""
    weights = torch.tensor([[1.0, 2], [3, 4]])
    in_mean, in_logvar = gradients(got, [mean, logvar], weights)
    expect(
        in_mean is not None or in_logvar is not None,
        "no gradient reaches mean and logvar: the encoder could not learn "
        "(detach, no_grad, a new tensor?).",
    )
    gradient_reaches(in_mean, weights, "mean", "the encoder could not learn.")
    how_sure = "the encoder could not learn how sure to be."
    gradient_reaches(in_logvar, weights * deviation / 2, "logvar", how_sure)


def _sample_of_extremes(function: Callable[..., Any]) -> None:
    """Tiny and huge variances, where a number that was added, or a limit, shows."""
    for number in (-20, 20):
        zero, one = torch.zeros(1, 2), torch.ones(1, 2)
        got = call(function, mean=zero, logvar=number * one, noise=one)
        right = math.exp(number / 2)
        what = f"the sample for mean 0, logvar {number} and noise 1"
        same(got, [[right, right]], what, absolute=0)


# Task 4: the receptive field


def receptive_field(function: Callable[..., Any]) -> None:
    """Check a function that says how far a unit sees.

    Args:
        function: [(kernel, stride), ...] -> width in pixels of the input.
    """
    each_adds = "each further layer adds kernel - 1."
    three_alike = {
        f"this is the sum of the kernels; {each_adds}": 9,
        f"this is the product of the kernels; {each_adds}": 27,
        "one pixel is missing: a unit sees at least one.": 6,
        "one pixel too many: begin with 1.": 8,
        "this is half of it, seen from the middle to one side.": 3,
        "this is an area; the width is asked for.": 49,
    }
    two_strides = {
        "the stride does not count yet: after a layer of stride 2, neighbours are 2 pixels "
        "apart.": 7,
        "a layer's own stride does not widen what it sees: multiply after you have added, "
        "not before.": 19,
    }
    three_strides = {
        "strides multiply: after two layers of stride 2, neighbours are 4 pixels apart.": 16
    }
    _sees(function, [(3, 1)], 3, {})
    _sees(function, [(3, 1)] * 3, 7, three_alike)
    _sees(function, [(4, 2)] * 2, 10, two_strides)
    _sees(function, [(4, 2)] * 3, 22, three_strides)
    passed("receptive_field")


def _sees(
    function: Callable[..., Any], layers: list[tuple[int, int]], right: int, mistakes: Mistakes
) -> None:
    what = f"receptive_field({layers})"
    got = is_number(call(function, layers=list(layers)), what)
    same(got, right, what, mistakes)


# Task 5: the cost


def multiply_adds(function: Callable[..., Any]) -> None:
    """Check a function that counts multiply-adds of convolutions of stride 1 that keep the size.

    Args:
        function: (channels, kernel, height, width) -> multiply-adds for one image.
    """
    channels, kernel, height, width = [5, 7, 3], 3, 4, 6
    what = f"multiply_adds({channels}, {kernel}, {height}, {width})"
    given = dict(channels=channels, kernel=kernel, height=height, width=width)
    got = is_number(call(function, **given), what)
    same(got, 9 * (5 * 7 + 7 * 3) * 4 * 6, what, mistaken_costs(), 1e-9)
    _cost_beyond_32_bits(function)
    passed("multiply_adds")


def mistaken_costs() -> Mistakes:
    """What the usual mistakes make of 5, 7 and 3 channels, kernel 3, and 4 x 6 pixels."""
    first, last = 5 * 7, 7 * 3
    pairs, pixels = first + last, 4 * 6
    right = 9 * pairs * pixels
    one_row = 3 * pairs * pixels
    outputs = 7 + 3  # each with a bias
    product = (9 * first * pixels) * (9 * last * pixels)
    multiply_two = "every output channel reads every input channel: multiply the two"
    return {
        "these are the weights; each is used once for every pixel.": 9 * pairs,
        "a kernel is as high as wide: kernel² weights for each pair of channels.": one_row,
        "the kernel is missing.": pairs * pixels,
        "a multiply-add counts once; you count its two operations.": 2 * right,
        f"{multiply_two}, not the inputs alone.": 9 * (5 + 7) * pixels,
        f"{multiply_two}, not the outputs alone.": 9 * (7 + 3) * pixels,
        f"{multiply_two}, do not add them.": 9 * (5 + 7 + 7 + 3) * pixels,
        "biases are no multiply-adds.": right + outputs * pixels,
        "biases are no multiply-adds, and have no kernel.": right + 9 * outputs * pixels,
        "this is the last layer alone; add up all layers.": 9 * last * pixels,
        "this is the first layer alone; add up all layers.": 9 * first * pixels,
        "the image has height · width pixels, not height².": 9 * pairs * 4 * 4,
        "the image has height · width pixels, not width².": 9 * pairs * 6 * 6,
        "the layers' counts add up; you multiply them.": product,
        "add up pairs of neighbours; you multiply all channels.": 9 * 5 * 7 * 3 * pixels,
    }


def _cost_beyond_32_bits(function: Callable[..., Any]) -> None:
    channels, kernel, height, width = [3, 513, 511, 3], 5, 127, 129
    what = f"multiply_adds({channels}, {kernel}, {height}, {width})"
    given = dict(channels=channels, kernel=kernel, height=height, width=width)
    got = is_number(call(function, **given), what)
    right = 25 * (3 * 513 + 513 * 511 + 511 * 3) * 127 * 129
    low_bits = right % 2**32
    wrapped = low_bits - 2**32 if low_bits >= 2**31 else low_bits
    mistake = f"{what} needs more than 32 bits: count in Python's whole numbers."
    same(got, right, what, {mistake: wrapped}, tolerance=0, absolute=0.5)


# Task 6: a square, by hand

SQUARES = [[0.3, -0.2, 0.2], [-0.4, 0.5, 0.35], [0.0, 0.1, 0.5]]
"""Codes of the squares that are looked at: x, y, and half the side."""


def square_by_hand(paint: Callable[..., Tensor], weights: Callable[[], Any]) -> None:
    """Check weights that paint a square.

    Args:
        paint: (weights, z [N, 3], img_size) -> [N, img_size, img_size]; the notebook's own.
        weights: () -> w1 [hidden, 5], b1 [hidden], w2 [1, hidden], b2 [1].
    """
    tensors = four_weights(weights())
    seen = [square_seen(paint(tensors, torch.tensor([z]), 65)[0]) for z in SQUARES]
    for z, square in zip(SQUARES, seen, strict=True):
        expect(square.light > 0.002, f"at z = {z} the picture is black.")
        expect(square.light < 3.5, f"at z = {z} the picture is (nearly) all white.")
    for z, square in zip(SQUARES, seen, strict=True):
        _is_centered(square, z)
    widths = [square.width for square in seen]
    expect(
        max(widths) - min(widths) > 0.05,
        f"the width is {widths[0]:.2f} whatever z3 is; z3 is half the side.",
    )
    for z, square in zip(SQUARES, seen, strict=True):
        _is_square(square, z)
    passed("square_weights")


def four_weights(answer: Any) -> tuple[Tensor, ...]:
    """w1, b1, w2 and b2 in float32, if these are four tensors of shapes that fit together."""
    several = parts(answer, 4, "four tensors are asked for: w1, b1, w2, b2.")
    hidden = len(several[0]) if isinstance(several[0], Tensor) and several[0].ndim else 1
    is_tensor(several[0], (hidden, 5), "w1")
    is_tensor(several[1], (hidden,), "b1")
    is_tensor(several[2], (1, hidden), "w2")
    is_tensor(several[3], (1,), "b2")
    return tuple(weight.detach().float() for weight in several)


def _is_centered(square: "Seen", z: list[float]) -> None:
    where = f"at z = {z} the light's centre is at ({square.x:.2f}, {square.y:.2f})"
    swapped = "x and y are swapped. The inputs are z1, z2, z3, x, y, in this order."
    signs = "the signs of z1 and z2 are wrong: x - z1 measures the way."
    mistakes = {f"{where}: {swapped}": (z[1], z[0]), f"{where}: {signs}": (-z[0], -z[1])}
    found, right = (square.x, square.y), (z[0], z[1])
    what = f"the light's centre at z = {z} in coordinates from -1 to 1"
    same(found, right, what, mistakes, tolerance=0, absolute=0.04)


def _is_square(square: "Seen", z: list[float]) -> None:
    sides = f"at z = {z} the light is {square.width:.2f} wide and {square.height:.2f} high"
    fill = square.light / (square.width * square.height)
    expect(
        fill >= 0.7,
        f"{sides}, but fills {fill:.0%} of that: a diamond? Each of the four sides needs a unit "
        "of its own.",
    )
    expect(fill >= 0.88, f"{sides}, but fills {fill:.0%} of that: its corners are cut off.")
    whole_side = abs(square.width - z[2]) < 0.1 * z[2]
    expect(not whole_side, f"{sides}: z3 is *half* the side; yours is the whole side.")
    off = max(abs(square.width - 2 * z[2]), abs(square.height - 2 * z[2]))
    expect(off < 0.12, f"{sides}; both should be 2 · z3 = {2 * z[2]:.2f}.")


class Seen(NamedTuple):
    """What is light in an image, in coordinates from -1 to 1."""

    light: float
    """Its area, out of 4."""
    x: float
    """Of its centre."""
    y: float
    width: float
    """Of the columns that hold a pixel lighter than ½."""
    height: float


def square_seen(image: Tensor) -> Seen:
    """What is light in an image [H, H]."""
    height = len(image)
    expect(image.shape == (height, height), f"paint gives shape {list(image.shape)}.")
    at = torch.linspace(-1, 1, height)
    pixel = 2 / (height - 1)
    light = image.sum().item()
    if light == 0:
        return Seen(0.0, 0.0, 0.0, 0.0, 0.0)
    columns, rows = image.amax(0) > 0.5, image.amax(1) > 0.5
    return Seen(
        light=light * pixel**2,
        x=(image.sum(0) @ at).item() / light,
        y=(image.sum(1) @ at).item() / light,
        width=columns.sum().item() * pixel,
        height=rows.sum().item() * pixel,
    )
