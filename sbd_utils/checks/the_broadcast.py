"""Assignment 2: the broadcast."""

from collections.abc import Callable

import numpy as np
import torch

from sbd_utils.checks.kit import as_array, close, expect, is_number, is_tensor, passed, same


def broadcast(function: Callable) -> None:
    """function(z [N, K], height, width) -> [N, K + 2, height, width]"""
    z = torch.tensor([[3.0, 4, 5], [6, 7, 8]], requires_grad=True)
    got = function(z, 2, 3)
    what = "broadcast of 2 codes of 3 numbers to 2 x 3 pixels"
    is_tensor(got, (2, 5, 2, 3), what)
    x = torch.tensor([[-1.0, 0, 1], [-1, 0, 1]]).expand(2, 1, 2, 3)
    y = torch.tensor([[-1.0, -1, -1], [1, 1, 1]]).expand(2, 1, 2, 3)
    tiled = z.detach()[:, :, None, None].expand(2, 3, 2, 3)
    edges = (
        torch.tensor([-2 / 3, 0, 2 / 3]).expand(2, 1, 2, 3),
        torch.tensor([[-0.5], [0.5]]).expand(2, 1, 2, 3),
    )
    mistakes = {
        "y comes before x: channel K is x, which grows with the column.": [tiled, y, x],
        "the coordinates come first; the code's channels do, then x, then y.": [x, y, tiled],
        "your coordinates run from 0 to 1; from -1 to 1 is asked for.": [
            tiled,
            (x + 1) / 2,
            (y + 1) / 2,
        ],
        "-1 is the middle of the first pixel, not its edge: the first column has x = -1, the last x = 1.": [
            tiled,
            *edges,
        ],
        "y points upwards; it grows with the row.": [tiled, x, -y],
    }
    mistakes = {sentence: torch.cat(parts, 1) for sentence, parts in mistakes.items()}
    expect(
        not close(as_array(got)[:, 3:], as_array(torch.cat([x, y], 1)), 1e-4)
        or (got[:, :3] == tiled).all(),
        "the coordinates are right, but channel k of image n must be z[n, k] at every pixel; yours mixes them: "
        "a reshape does not know what its axes mean.",
    )
    same(got, torch.cat([tiled, x, y], 1), what, mistakes)
    expect(
        got.requires_grad,
        "no gradient reaches z: an encoder could not learn through this (detach, .data, numpy?).",
    )
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
        "the variance is exp(logvar); you have used logvar in its place.": 0.5
        * (square + logvar - logvar - 1).sum(1),
        "logvar is the log-variance, not the log of the standard deviation: σ² = exp(logvar).": 0.5
        * (square + (2 * logvar).exp() - 2 * logvar - 1).sum(1),
        "you have the standard deviation where the variance belongs: σ² = exp(logvar).": 0.5
        * (square + (logvar / 2).exp() - logvar - 1).sum(1),
        "the mean must be squared.": 0.5 * (mean + spread - logvar - 1).sum(1),
        "this is in bits; nats are asked for: the natural logarithm.": right / np.log(2),
        "it is -logvar, +σ²: the two have changed places.": 0.5
        * (square - spread + logvar + 1).sum(1),
        "the 1 is missing: the KL of the prior to itself is 0.": 0.5
        * (square + spread - logvar).sum(1),
        "this sums over the batch; sum over the latents.": 0.5
        * (square + spread - logvar - 1).sum(0),
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
        "you multiply the noise by logvar; the standard deviation is exp(logvar / 2).": m
        + std.log() * 2 * noise,
        "you multiply the noise by logvar / 2; the exponential is missing.": m + std.log() * noise,
        "this is the mean: the noise is missing.": m,
        "this is the noise alone: the mean is missing.": std * noise,
        "the noise is added as it is: multiply it by the standard deviation, exp(logvar / 2).": m
        + noise,
        "the sign of the noise is wrong.": m - std * noise,
        "the standard deviation is exp(+logvar / 2).": m + noise / std,
    }
    again = function(mean, logvar, noise)
    expect(
        torch.equal(got, again),
        "two calls with the same noise give different samples: use the noise that is given, do not draw your own.",
    )
    same(got, m + std * noise, "the sample", mistakes)
    expect(
        got.requires_grad,
        "no gradient reaches mean and logvar: the encoder could not learn (detach, no_grad?).",
    )
    got.sum().backward()
    expect(mean.grad is not None, "no gradient reaches mean: the encoder could not learn.")
    expect(
        logvar.grad is not None,
        "no gradient reaches logvar: the encoder could not learn how sure to be.",
    )
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
        (
            [(4, 2)] * 3,
            22,
            {"strides multiply: after two layers of stride 2, neighbours are 4 pixels apart.": 16},
        ),
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
        "every output channel reads every input channel: multiply the two numbers.": 9
        * (7 + 2)
        * pixels,
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
    expect(
        isinstance(result, tuple) and len(result) == 4,
        "four tensors are asked for: w1, b1, w2, b2.",
    )
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
        expect(
            not swapped,
            f"{where}: x and y are swapped. The inputs are z1, z2, z3, x, y, in this order.",
        )
        expect(
            not abs(x + z[0]) + abs(y + z[1]) < 0.06,
            f"{where}: the signs of z1 and z2 are wrong: x - z1 measures the way.",
        )
        expect(abs(x - z[0]) + abs(y - z[1]) < 0.06, f"{where}.")
    widths = [seen["width"] for seen in measured]
    expect(
        max(widths) - min(widths) > 0.05,
        f"the width is {widths[0]:.2f} whatever z3 is; z3 is half the side.",
    )
    for z, seen in zip(SQUARES, measured, strict=True):
        sides = f"at z = {z} the light is {seen['width']:.2f} wide and {seen['height']:.2f} high"
        fill = seen["light"] / (seen["width"] * seen["height"])
        expect(
            not fill < 0.7,
            f"{sides}, but fills {fill:.0%} of that: a diamond? Each of the four sides needs a unit of its own.",
        )
        expect(
            not 0.7 <= fill < 0.88,
            f"{sides}, but fills {fill:.0%} of that: its corners are cut off.",
        )
        expect(
            not abs(seen["width"] - z[2]) < 0.1 * z[2],
            f"{sides}: z3 is *half* the side; yours is the whole side.",
        )
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
