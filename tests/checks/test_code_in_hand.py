"""The exercises of notebook 06: right answers are let pass, wrong ones are told why."""

import math

import numpy as np
import pytest
import torch

from sbd_utils import analysis, checks
from sbd_utils.checks import NotYet, code_in_hand

SOLVED = ": the check found nothing wrong.\n"
STDS = torch.tensor([0.010, 0.012])
PATH = torch.linspace(0, 1, 81)[:, None] * torch.tensor([2.56, 1.92])  # 0.08 for a pixel
CORNER = np.array([[0.0, 0, 5], [3, 0, -5], [3, 4, 5]])  # 7 for 5 in its first two latents
STRAIGHT = torch.tensor([[0.0, 0, 0], [1, 0, 9], [2, 0, 0]])
PATHS = {"SBD": STRAIGHT, "deconv": CORNER}
COUNTED = {"SBD": torch.tensor([True, True, False]), "deconv": np.array([True, True, False])}
MIDDLE = {np.int64(2): 0.9, np.int64(4): 0.1, np.int64(7): 0.8}
VARIANCES = torch.tensor([0.9, 0.4, 1.1, 1.0])
FILMS = torch.zeros(4, 3, 1, 2, 2)
FILMS[1, :, 0, 0, 0] = torch.tensor([-0.2, 0.0, 0.1])


def ellipse(answer):
    checks.ellipse_in_pixels(answer, STDS, PATH, pixels=40)


def detours(answer):
    checks.detours(answer, PATHS, COUNTED)


def sleeper(latent, place):
    checks.sleeper_wakes(latent, place, MIDDLE, lambda latent, x, y: 0.7 if x < 20 else 0.2)


def untrained(informative, change):
    checks.untrained_sliders(informative, change, VARIANCES, FILMS)


RIGHT = [
    lambda: ellipse(0.15),
    lambda: ellipse(torch.tensor(0.125)),
    lambda: ellipse(np.float32(0.14)),
    lambda: detours({"SBD": 1, "deconv": 1.4}),
    lambda: detours({"deconv": np.float64(7 / 5), "SBD": torch.tensor(1.0)}),
    lambda: sleeper(4, (16, 48)),
    lambda: sleeper(torch.tensor(4), torch.tensor([8.0, 56.0])),
    lambda: untrained(1, 0.1),
    lambda: untrained(torch.tensor(1), FILMS.clamp(0, 1).max()),
]


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_answer_is_let_pass(check, capsys):
    check()
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    "check",
    [
        lambda: ellipse(...),
        lambda: detours(...),
        lambda: detours({"SBD": 1, "deconv": ...}),
        lambda: sleeper(..., (16, 48)),
        lambda: sleeper(4, ...),
        lambda: untrained(..., 0.1),
        lambda: untrained(1, ...),
    ],
)
def test_an_exercise_that_is_not_done_stops_nothing(check, capsys):
    check()
    assert capsys.readouterr().out.startswith("nothing is written yet")


WRONG = [
    (lambda: ellipse(0.011), "0.011: that is in units of the latent"),
    (lambda: ellipse(0.08), "0.08: that is how far the code moves for one pixel"),
    (lambda: ellipse(0.025), "0.025 is not it: the ends of `path` are 40 pixels apart"),
    (lambda: ellipse(0.0009), "that is a product"),
    (lambda: ellipse(7), "upside down"),
    (lambda: ellipse(0.011**2 / 0.08), "that is made of the variance"),
    (lambda: ellipse(math.inf), "must be finite"),
    (lambda: ellipse("small"), "must be a number"),
    (lambda: detours(1.4), "a number for each of 'SBD', 'deconv'"),
    (lambda: detours({"SBD": 1}), "a number for each of 'SBD', 'deconv'"),
    (lambda: detours({"SBD": 9.11, "deconv": 1.4}), "the detour of SBD is 9.11 where 1 is right"),
    (lambda: detours({"SBD": 1, "deconv": 7}), "that is the length alone"),
    (lambda: detours({"SBD": 1, "deconv": 5 / 7}), "upside down: a detour is never below 1"),
    (
        lambda: detours(
            {"SBD": 1, "deconv": np.linalg.norm(np.diff(CORNER, axis=0), axis=1).sum() / 5}
        ),
        "latents that do not inform are left out",
    ),
    (lambda: sleeper(3, (16, 48)), "3 is not informative; 2, 4, 7 are"),
    (lambda: sleeper(7, (16, 48)), "in the middle, latent 7 changes a pixel by 0.80"),
    (lambda: sleeper(4, 16), r"place is \(x, y\), in pixels"),
    (lambda: sleeper(4, (1, 48)), r"no circle of the course is at \(1, 48\)"),
    (lambda: sleeper(4, (48, 16)), "changes no pixel by more than 0.20: try elsewhere"),
    (lambda: untrained(4, 0.1), "these are all latents"),
    (lambda: untrained(0, 0.1), "informative is 0 where 1 is right"),
    (lambda: untrained(1, 0.3), "clamp to \\[0, 1\\] first"),
    (lambda: untrained(1, 0.05), "change is 0.05; of which latent"),
]


@pytest.mark.parametrize(("check", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_answer_is_told_why(check, sentence):
    with pytest.raises(NotYet, match=sentence):
        check()


def test_informative_is_what_the_course_calls_so():
    assert code_in_hand.INFORMATIVE == analysis.INFORMATIVE
