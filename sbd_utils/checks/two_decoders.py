"""The checks of notebook 02 and its appendix: weights by hand, kernels, clouds, what is kept."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.checks.kit import (
    Mistakes,
    call,
    expect,
    is_number,
    is_tensor,
    same,
    solved,
    unwritten,
)

# Notebook 02


def diamonds(decoder: Any, draw: Callable[[Tensor], Tensor]) -> None:
    """Check a broadcast decoder whose weights were set to draw diamonds without a clamp.

    Args:
        decoder: (z [N, 2]) -> [N, 1, H, H].
        draw: (z [N, 2]) -> [N, 1, H, H] in [0, 1], what is wanted; the notebook's own.
    """
    if unwritten(decoder):
        return
    z = torch.tensor([[0.4, -0.3], [-0.2, 0.7], [0.0, 0.0]])
    right = draw(z)
    with torch.no_grad():
        got = decoder(z)
    is_tensor(got, tuple(right.shape), "the pictures of 3 codes")
    high, low = got.max().item(), got.min().item()
    expect(
        high < 1.01,
        f"the brightest pixel is {high:.1f}: a clamp at 1 is one more ReLU, subtracted.",
    )
    expect(low > -0.01, f"the darkest pixel is {low:.1f}: a clamp at 0 is a ReLU.")
    expect(high > 0.5, f"the brightest pixel is {high:.2f}: nothing is drawn.")
    mistakes = {
        "the diamonds are mirrored at the diagonal: x and y have changed places.": draw(z.flip(1)),
        "the diamonds lie at -z: the signs of the code's weights.": draw(-z),
    }
    same(got, right, "the pictures", mistakes, 1e-3)
    solved("the diamonds")


def turned_diamond(weights: Any) -> None:
    """Check first-layer weights that put a diamond where a code turned by 45 degrees says.

    Args:
        weights: [4, 4], of the inputs z1, z2, x, y (columns), before a ReLU.
    """
    if unwritten(weights):
        return
    is_tensor(weights, (4, 4), "the weights")
    generator = torch.Generator().manual_seed(0)
    z, xy = (2 * torch.rand(40, 2, generator=generator) - 1 for _ in range(2))
    hidden = torch.relu(torch.cat([z, xy], 1) @ weights.T)
    right = _diamond_distance(xy, _turned(z, 1))
    mistakes = {
        "this draws the diamond at (z1, z2): the code is not turned back.": z,
        "the code is turned the wrong way: x = (z1 - z2) / √2.": _turned(z, -1),
        "the root of 2 is missing: a turn keeps lengths.": _turned(z, 1) * math.sqrt(2),
    }
    named = {sentence: _diamond_distance(xy, at) for sentence, at in mistakes.items()}
    same(hidden.sum(1), right, "|x - center| + |y - center|", named, 1e-3)
    solved("the turned code")


def _turned(z: Tensor, way: int) -> Tensor:
    """Where codes [N, 2] lie that are turned by 45 degrees, to one side (1) or the other (-1)."""
    z1, z2 = z.T
    return torch.stack([z1 - way * z2, way * z1 + z2], 1) / math.sqrt(2)


def _diamond_distance(xy: Tensor, center: Tensor) -> Tensor:
    return (xy - center).abs().sum(1)


def even_kernels(kernels: Any) -> None:
    """Check which kernels from 3 to 9 reach all inner pixels equally often at stride 3.

    Args:
        kernels: Their widths.
    """
    if unwritten(kernels):
        return
    expect(
        isinstance(kernels, list | tuple | set) and kernels,
        "a list of kernels from 3 to 9 is asked for.",
    )
    given = sorted(int(is_number(kernel, "a kernel")) for kernel in kernels)
    expect(given != [4, 6, 8], "these are the kernels that stride 2 divides; the stride is 3 here.")
    for kernel in given:
        expect(3 <= kernel <= 9, f"kernel {kernel} is not among 3 to 9.")
        rest = kernel % 3
        expect(
            rest == 0,
            f"kernel {kernel}: along one axis a pixel is reached by every third weight, by "
            f"{kernel // 3} of them or by {kernel // 3 + 1}.",
        )
    expect(given == [3, 6, 9], f"{given} are right, but not all.")
    solved("the kernels")


def best_std(function: Callable[..., Any]) -> None:
    """Check the standard deviation that beta and w leave a latent of the linear decoder.

    Args:
        function: (w, beta, norm2) -> std, where norm2 is the squared norm of the decoder's picture.
    """
    cases = [(10.0, 1.0, 2.5), (10.0, 4.0, 2.5), (0.5, 1.0, 30.0)]
    for w, beta, norm2 in cases:
        got = call(function, w=w, beta=beta, norm2=norm2)
        if unwritten(got):
            return
        right = math.sqrt(beta / (beta + 2 * w * norm2))
        what = f"best_std(w={w:g}, beta={beta:g}, norm2={norm2:g})"
        same(is_number(got, what), right, what, _mistaken_stds(w, beta, norm2), 1e-3)
    solved("best_std")


def _mistaken_stds(w: float, beta: float, norm2: float) -> Mistakes:
    variance = beta / (beta + 2 * w * norm2)
    half = math.sqrt(beta / (beta + w * norm2))
    prior = math.sqrt(beta / (2 * w * norm2))
    exchanged = math.sqrt(w / (w + 2 * beta * norm2))
    without_beta = math.sqrt(1 / (1 + 2 * w * norm2))
    return {
        "this is the variance; its root is asked for.": variance,
        "the KL has a factor ½, the squared error has none: where does the 2 belong?": half,
        "the prior's own pull is missing: KL has + s² as well as - log s².": prior,
        "w and beta have changed places.": exchanged,
        "this does not depend on beta.": without_beta,
    }


# The appendix of notebook 02


def resize_decoder(decoder: Any) -> None:
    """Check a decoder that enlarges by repeating pixels and then convolves.

    Args:
        decoder: (z [N, 10]) -> [N, 1, 64, 64].
    """
    if unwritten(decoder):
        return
    expect(isinstance(decoder, nn.Module), "an instance of a module is asked for.")
    kinds = [type(layer) for layer in decoder.modules()]
    expect(nn.ConvTranspose2d not in kinds, "there is still a transposed convolution in it.")
    count = kinds.count(nn.Conv2d)
    expect(count == 5, f"it has {count} convolutions; the deconv decoder has 5 that double.")
    z = torch.randn(64, 10, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pictures = decoder(z)
    is_tensor(pictures, (64, 1, 64, 64), "the pictures of 64 codes")
    inner = pictures.mean((0, 1))[8:-8, 8:-8]
    parities = [inner[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)]
    share = (torch.stack(parities).std(unbiased=False) / inner.std(unbiased=False)).item()
    expect(share < 0.5, f"{share:.2f} of the spread in its mean picture goes with parity.")
    solved("the resize decoder")


def templates_apart(units: Any) -> None:
    """Check how many templates nine diamonds take that do not touch.

    Args:
        units: The number.
    """
    if unwritten(units):
        return
    number = is_number(units, "the number of units")
    expect(number != 9, "9: the bias paints the average of the nine, which saves one.")
    orthogonal = "pictures without a common pixel are orthogonal: can two of them share a template?"
    expect(number == 8, f"{number:g} is not it: {orthogonal}")
    solved("the templates")


def bytes_kept(function: Callable[..., Any]) -> None:
    """Check what a broadcast decoder keeps for the backward pass.

    Args:
        function: (channels, size) -> bytes for one picture in float32; channels as [12, 64, 64, 1].
    """
    for channels, size in [([12, 64, 64, 1], 64), ([5, 7, 3], 10)]:
        got = call(function, channels=channels, size=size)
        if unwritten(got):
            return
        what = f"bytes_kept({channels}, {size})"
        right = 4 * size**2 * sum(channels)
        same(is_number(got, what), right, what, _mistaken_bytes(channels, size), 1e-9)
    solved("bytes_kept")


def _mistaken_bytes(channels: Sequence[int], size: int) -> Mistakes:
    pixels = size**2
    twice = 2 * sum(channels[1:-1])  # before and after each ReLU
    return {
        "these are numbers; each takes 4 bytes.": pixels * sum(channels),
        "the input of the first convolution is kept, too.": 4 * pixels * sum(channels[1:]),
        "the picture is kept, too: the square's derivative needs it.": (
            4 * pixels * sum(channels[:-1])
        ),
        "a ReLU needs its output alone, which is the next convolution's input: not both sides.": (
            4 * pixels * (channels[0] + twice + channels[-1])
        ),
    }
