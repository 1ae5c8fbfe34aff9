"""The exercises of notebook 02 and its appendix: right answers are let pass, wrong ones are told why."""

import math

import pytest
import torch
from torch import nn

from sbd_utils import DeconvDecoder, SpatialBroadcastDecoder, checks, coordinate_map
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
R = math.sqrt(0.5)
TURNED = torch.tensor([[-R, R, 1, 0], [R, -R, -1, 0], [-R, -R, 0, 1], [R, R, 0, -1]])
STRAIGHT = torch.tensor([[-1.0, 0, 1, 0], [1, 0, -1, 0], [0, -1, 0, 1], [0, 1, 0, -1]])


def draw(z):
    """Diamonds of radius 0.3 at codes [N, 2], [N, 1, 64, 64]."""
    x, y = coordinate_map(64)
    distance = (x - z[:, 0, None, None]).abs() + (y - z[:, 1, None, None]).abs()
    return (16 * (0.3 - distance)).clamp(0, 1)[:, None]


def unclamped(z):
    x, y = coordinate_map(64)
    distance = (x - z[:, 0, None, None]).abs() + (y - z[:, 1, None, None]).abs()
    return (16 * (0.3 - distance))[:, None]


class Resize(nn.Module):
    """A decoder that enlarges and then convolves."""

    def __init__(self, layers: int = 5) -> None:
        super().__init__()
        self.start = 64 // 2**layers
        self.hidden = nn.Linear(10, 8 * self.start**2)
        widths = [8] * (layers - 1) + [1]
        self.convs = nn.ModuleList(nn.Conv2d(8, width, 3, padding=1) for width in widths)

    def forward(self, z):
        h = self.hidden(z).unflatten(1, (8, self.start, self.start))
        for conv in self.convs:
            h = conv(nn.functional.interpolate(h.relu(), scale_factor=2))
        return h


class Checkered(Resize):
    """One that has no transposed convolution, and a checkerboard all the same."""

    def forward(self, z):
        return super().forward(z) + torch.tensor([[9.0, 0], [0, 9]]).repeat(32, 32)


def best_std(w, beta, norm2):
    return (beta / (beta + 2 * w * norm2)) ** 0.5


RIGHT = [
    lambda: checks.diamonds(draw, draw),
    lambda: checks.turned_diamond(TURNED),
    lambda: checks.turned_diamond(TURNED[[2, 0, 3, 1]]),  # in any order
    lambda: checks.even_kernels([3, 6, 9]),
    lambda: checks.even_kernels({9, 3, 6}),
    lambda: checks.best_std(best_std),
    lambda: checks.resize_decoder(Resize()),
    lambda: checks.templates_apart(8),
    lambda: checks.bytes_kept(lambda channels, size: 4 * size * size * sum(channels)),
]


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_answer_is_let_pass(check, capsys):
    check()
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks.diamonds(..., draw),
        lambda: checks.turned_diamond(...),
        lambda: checks.even_kernels(...),
        lambda: checks.best_std(lambda w, beta, norm2: ...),
        lambda: checks.resize_decoder(...),
        lambda: checks.templates_apart(...),
        lambda: checks.bytes_kept(lambda channels, size: ...),
    ],
)
def test_an_exercise_that_is_not_done_stops_nothing(check, capsys):
    check()
    assert capsys.readouterr().out.startswith("nothing is written yet")


def blank(z):
    return torch.zeros(len(z), 1, 64, 64)


WRONG = [
    (lambda: checks.diamonds(unclamped, draw), "the brightest pixel is 4.*a clamp at 1"),
    (lambda: checks.diamonds(lambda z: unclamped(z).clamp(max=1), draw), "a clamp at 0 is a ReLU"),
    (lambda: checks.diamonds(blank, draw), "nothing is drawn"),
    (lambda: checks.diamonds(lambda z: draw(z.flip(1)), draw), "x and y have changed places"),
    (lambda: checks.diamonds(lambda z: draw(-z), draw), "the diamonds lie at -z"),
    (lambda: checks.diamonds(lambda z: draw(z)[:, 0], draw), "has shape"),
    (lambda: checks.turned_diamond(STRAIGHT), "the code is not turned back"),
    (lambda: checks.turned_diamond(TURNED * torch.tensor([1, -1, 1, 1])), "is [0-9.]+ where"),
    (
        lambda: checks.turned_diamond(
            torch.tensor([[-R, -R, 1, 0], [R, R, -1, 0], [R, -R, 0, 1], [-R, R, 0, -1]])
        ),
        "turned the wrong way",
    ),
    (
        lambda: checks.turned_diamond(
            torch.tensor([[-1.0, 1, 1, 0], [1, -1, -1, 0], [-1, -1, 0, 1], [1, 1, 0, -1]])
        ),
        "the root of 2 is missing",
    ),
    (lambda: checks.turned_diamond(TURNED.tolist()), "is a list; it must be a torch tensor"),
    (lambda: checks.even_kernels([3, 6]), "are right, but not all"),
    (lambda: checks.even_kernels([4, 6, 8]), "the kernels that stride 2 divides"),
    (lambda: checks.even_kernels([3, 5, 6, 9]), "kernel 5: .* by 1 of them or by 2"),
    (lambda: checks.even_kernels([3, 6, 9, 12]), "kernel 12 is not among 3 to 9"),
    (lambda: checks.even_kernels(3), "a list of kernels"),
    (lambda: checks.best_std(lambda w, b, n: b / (b + 2 * w * n)), "this is the variance"),
    (lambda: checks.best_std(lambda w, b, n: best_std(w / 2, b, n)), "where does the 2 belong"),
    (lambda: checks.best_std(lambda w, b, n: (b / (2 * w * n)) ** 0.5), "the prior's own pull"),
    (lambda: checks.best_std(lambda w, b, n: best_std(b, w, n)), "have changed places"),
    (lambda: checks.best_std(lambda w, b, n: best_std(w, 1, n)), "does not depend on beta"),
    (lambda: checks.resize_decoder(Resize), "an instance of a module"),
    (lambda: checks.resize_decoder(DeconvDecoder()), "still a transposed convolution"),
    (lambda: checks.resize_decoder(SpatialBroadcastDecoder()), "it has 3 convolutions"),
    (lambda: checks.resize_decoder(Checkered()), "goes with parity"),
    (lambda: checks.templates_apart(9), "the bias paints the average"),
    (lambda: checks.templates_apart(4), "4 is not it: pictures without a common pixel"),
    (lambda: checks.bytes_kept(lambda c, size: size**2 * sum(c)), "each takes 4 bytes"),
    (lambda: checks.bytes_kept(lambda c, size: 4 * size**2 * sum(c[1:])), "input of the first"),
    (lambda: checks.bytes_kept(lambda c, size: 4 * size**2 * sum(c[:-1])), "the picture is kept"),
    (
        lambda: checks.bytes_kept(lambda c, size: 4 * size**2 * (sum(c) + sum(c[1:-1]))),
        "not both sides",
    ),
]


@pytest.mark.parametrize(("check", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_answer_is_told_why(check, sentence):
    with pytest.raises(NotYet, match=sentence):
        check()
