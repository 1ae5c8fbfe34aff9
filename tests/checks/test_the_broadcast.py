"""Assignment 2: right answers in other forms pass; wrong ones are told what is wrong."""

import pytest
import torch

from tests.checks.cells import edit, solution, told

BROADCAST, KL, SAMPLE, FIELD, ADDS, SQUARE = (
    solution(2, task)
    for task in ["broadcast", "kl", "sample", "receptive_field", "multiply_adds", "square_weights"]
)
SQUARE_RETURNED = "return w1, torch.zeros(4), -torch.ones(1, 4), torch.ones(1)"
FOUR = SQUARE_RETURNED.removeprefix("return ")

RIGHT = {
    "one pixel after another": (
        "broadcast",
        """
def broadcast(z, height, width):
    out = z.new_zeros(len(z), z.shape[1] + 2, height, width)
    for i in range(height):
        for j in range(width):
            out[:, :-2, i, j] = z
            out[:, -2, i, j] = -1 + 2 * j / (width - 1)
            out[:, -1, i, j] = -1 + 2 * i / (height - 1)
    return out
""",
    ),
    "a helper with the library's name": (
        "broadcast",
        """
def coordinate_map(height, width):
    return torch.stack(torch.meshgrid(torch.linspace(-1, 1, width), torch.linspace(-1, 1, height), indexing="xy"))

def broadcast(z, height, width):
    tiled = z.view(*z.shape, 1, 1).repeat(1, 1, height, width)
    return torch.cat([tiled, coordinate_map(height, width).to(z).repeat(len(z), 1, 1, 1)], 1)
""",
    ),
    "a helper called kl_divergence": (
        "kl",
        """
def kl_divergence(mean, logvar):
    return (mean ** 2 + torch.exp(logvar) - logvar - 1) / 2

def kl(mean, logvar):
    return kl_divergence(mean, logvar).sum(dim=-1)
""",
    ),
    "torch's own": (
        "kl",
        """
from torch.distributions import Normal, kl_divergence

def kl(mean, logvar):
    return kl_divergence(Normal(mean, (logvar / 2).exp()), Normal(0.0, 1.0)).sum(1)
""",
    ),
    "KL in float64": ("kl", edit(KL, "(mean.", "(mean.double().")),
    "root of the variance": ("sample", edit(SAMPLE, "(logvar / 2).exp()", "logvar.exp().sqrt()")),
    "sample in float64": ("sample", edit(SAMPLE, "return mean", "return mean.double()")),
    "from the top": (
        "receptive_field",
        """
def receptive_field(layers):
    width = 1
    for kernel, stride in reversed(layers):
        width = (width - 1) * stride + kernel
    return torch.tensor([width])
""",
    ),
    "by NumPy": (
        "multiply_adds",
        """
import numpy as np

def multiply_adds(channels, kernel, height, width):
    channels = np.array(channels, dtype=np.int64)
    return channels[:-1] @ channels[1:] * kernel**2 * height * width
""",
    ),
    "as a float": ("multiply_adds", edit(ADDS, "return height", "return 1.0 * height")),
    "weights in float64": ("square_weights", edit(SQUARE, SQUARE_RETURNED, f"return tuple(w.double() for w in ({FOUR}))")),
    "one of them in float64": ("square_weights", edit(SQUARE, "return w1,", "return w1.double(),")),
    "a list of parameters": ("square_weights", edit(SQUARE, SQUARE_RETURNED, f"return [torch.nn.Parameter(w) for w in ({FOUR})]")),
}  # fmt: skip


@pytest.mark.parametrize(("task", "answer"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_in_another_form_passes(task, answer):
    assert told(2, task, answer) is None


def test_a_right_answer_passes_where_gradients_are_switched_off():
    torch.set_grad_enabled(False)
    try:
        assert told(2, "broadcast", BROADCAST) is None
        assert told(2, "sample", SAMPLE) is None
        assert told(2, "receptive_field", FIELD) is None
    finally:
        torch.set_grad_enabled(True)


CHANGED = "your function changes {}, which its caller may still need"
NEW = "    {0} = torch.tensor({0}.tolist(), dtype={0}.dtype, requires_grad=True)\n"
WRONG = {
    # changed in place
    "z scaled": ("broadcast", CHANGED.format("z"), edit(BROADCAST, "    tiled = z", "    tiled = z.mul_(2)").replace("height, width)\n    return", "height, width) / 2\n    return")),
    "mean squared": ("kl", CHANGED.format("mean"), edit(KL, "mean.square()", "mean.pow_(2)")),
    "logvar exponentiated": ("kl", CHANGED.format("logvar"), edit(KL, "logvar.exp() - logvar", "-logvar + logvar.exp_()")),
    "logvar halved": ("sample", CHANGED.format("logvar"), edit(SAMPLE, "(logvar / 2)", "logvar.div_(2)")),
    "noise scaled": ("sample", CHANGED.format("noise"), edit(SAMPLE, "(logvar / 2).exp() * noise", "noise.mul_((logvar.detach() / 2).exp())")),
    "layers taken from the list": ("receptive_field", CHANGED.format("layers"), edit(FIELD, "for kernel, stride in layers:", "while layers:\n        kernel, stride = layers.pop(0)")),
    "channels taken from the list": ("multiply_adds", CHANGED.format("channels"), edit(ADDS, "    return", "    channels.pop()\n    return")),
    # gradients
    "a new tensor": ("broadcast", "no gradient reaches z: an encoder could not learn", edit(BROADCAST, "    rows, columns", NEW.format("z") + "    rows, columns")),
    "the first code detached": ("broadcast", "no gradient reaches row 0 of z", edit(BROADCAST, "    tiled =", "    z = torch.cat([z[:1].detach(), z[1:]])\n    tiled =")),
    "the last code detached": ("broadcast", "no gradient reaches row 1 of z", edit(BROADCAST, "    tiled =", "    z = torch.cat([z[:1], z[1:].detach()])\n    tiled =")),
    "a gradient of one pixel": ("broadcast", "the gradient in row 0 of z", edit(BROADCAST, "    return", "    tiled = tiled.detach() + torch.nn.functional.pad((tiled - tiled.detach())[..., :1, :1], (0, width - 1, 0, height - 1))\n    return")),
    "new mean and logvar": ("sample", "no gradient reaches mean and logvar", edit(SAMPLE, "    return", NEW.format("mean") + NEW.format("logvar") + "    return")),
    "a new logvar": ("sample", "no gradient reaches logvar: the encoder could not learn how sure", edit(SAMPLE, "    return", NEW.format("logvar") + "    return")),
    "half of the means detached": ("sample", "no gradient reaches row 0 of mean", edit(SAMPLE, "    return", "    mean = torch.cat([mean[:1].detach(), mean[1:]])\n    return")),
    # scales
    "a little added to the variance": ("kl", "the KL for mean 0 and logvar -20", edit(KL, "- logvar -", "- (logvar.exp() + 1e-8).log() -")),
    "the log-variance cut off": ("kl", "the KL for mean 0 and logvar -20", edit(KL, "    return", "    logvar = logvar.clamp(-10, 10)\n    return")),
    "the spread cut off": ("sample", "the sample for mean 0, logvar -20 and noise 1 is", edit(SAMPLE, "(logvar / 2)", "(logvar.clamp(-10, 10) / 2)")),
    "a little added to the spread": ("sample", "the sample for mean 0, logvar -20", edit(SAMPLE, ".exp()", ".exp().add(1e-6)")),
    # sizes
    "32 bits": ("multiply_adds", "needs more than 32 bits", "import numpy as np\n\ndef multiply_adds(channels, kernel, height, width):\n    c = np.array(channels, dtype=np.int32)\n    return (c[:-1] @ c[1:]) * np.array([kernel * kernel * height * width], dtype=np.int32)[0]"),
    "float32": ("multiply_adds", "multiply_adds([3, 513, 511, 3], 5, 127, 129) is", edit(ADDS, "return height * width * kernel**2 * pairs", "return torch.tensor(float(height * width * kernel**2)) * pairs")),
    # types
    "a list for a tensor": ("kl", "is a list; it must be a torch tensor", "def kl(mean, logvar):\n    return (mean**2 + logvar.exp() - logvar - 1).sum(1).div(2).tolist()"),
    "three tensors": ("square_weights", "four tensors are asked for", edit(SQUARE, ", torch.ones(1)\n", "\n")),
    "whole numbers": ("square_weights", "w1 holds torch.int64; it must hold floating-point numbers", edit(SQUARE, "return w1,", "return w1.long(),")),
    # taken away
    "the library's decoder": ("broadcast", "you call the library's own function", "import sbd_utils\n\ndecoder = sbd_utils.SpatialBroadcastDecoder(z_dim=3)\n\ndef broadcast(z, height, width):\n    return decoder(z)"),
}  # fmt: skip


@pytest.mark.parametrize(("task", "sentence", "answer"), WRONG.values(), ids=WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(task, sentence, answer):
    assert sentence in told(2, task, answer, hidden=False)


def test_the_last_layer_alone_is_told_apart_from_added_channels():
    last = edit(ADDS, "range(len(channels) - 1)", "[len(channels) - 2]")
    added = edit(ADDS, "channels[i] * channels[i + 1]", "channels[i] + channels[i + 1]")
    outputs = edit(ADDS, "channels[i] * channels[i + 1]", "channels[i + 1]")
    assert "this is the last layer alone" in told(2, "multiply_adds", last)
    assert "multiply the two, do not add them" in told(2, "multiply_adds", added)
    assert "multiply the two, not the outputs alone" in told(2, "multiply_adds", outputs)
