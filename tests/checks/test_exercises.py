"""The exercises of notebooks 00 and 01: right answers are let pass, wrong ones are told why."""

import math
import re

import numpy as np
import pytest
import torch

from sbd_utils import checks, fit_geometry
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"


def grid() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places [M, 2] with one that occurs twice, and their two coordinates from -1 to 1."""
    u, v = (part.ravel() for part in np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9)))
    u, v = np.append(u, u[0]), np.append(v, v[0])
    return 32 + 20 * np.stack([u, v], 1), u, v


XY, U, V = grid()
ANGLE = np.arctan2(V, U) + 20 * np.hypot(U, V)
WOUND = np.hypot(U, V)[:, None] * np.stack([np.cos(ANGLE), np.sin(ANGLE)], 1)
STRETCHED = np.stack([5 * U, V], 1)


def light(pictures):
    return pictures.sum((1, 2, 3))


@pytest.mark.parametrize("answer", [0, 0.0, torch.tensor(0), np.int64(0)])
def test_a_turned_ellipse_changes_nothing(answer, capsys):
    checks.turned_ellipse(answer)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize("answer", [17.75, math.log2(480 * 480), 2 * math.log2(481), 18])
def test_bits_with_or_without_a_fraction(answer, capsys):
    checks.bits_for_a_place(answer)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize("answer", [120, 120.0, np.float32(120)])
def test_a_triangle_turned_by_a_third(answer, capsys):
    checks.triangle_period(answer)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize("answer", [9, 10, 10.5, torch.tensor(9.5)])
def test_a_ghost_goes_dark_a_diameter_apart(answer, capsys):
    checks.ghost_goes_dark(answer)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    "function",
    [
        lambda pictures: (4 * light(pictures) / np.pi).sqrt(),
        lambda pictures: [2 * math.sqrt(float(p.sum()) / math.pi) for p in pictures],
        lambda pictures: 2 * np.sqrt(light(pictures).numpy() / np.pi),
    ],
)
def test_diameters_in_any_form(function, capsys):
    checks.diameters(function)
    assert capsys.readouterr().out.endswith(SOLVED)


def test_codes_may_be_stretched_or_sheared(capsys):
    sheared = np.stack([U + 2 * V, V], 1)
    for straight in (STRETCHED, sheared):
        checks.two_codes(straight, WOUND, XY, fit_geometry)
        assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks.turned_ellipse(...),
        lambda: checks.diagonal_step(...),
        lambda: checks.bits_for_a_place(...),
        lambda: checks.triangle_period(...),
        lambda: checks.ghost_goes_dark(...),
        lambda: checks.diameters(lambda pictures: None),
        lambda: checks.two_codes(..., ..., XY, fit_geometry),
        lambda: checks.two_codes(STRETCHED, ..., XY, fit_geometry),
    ],
)
def test_an_exercise_that_is_not_done_stops_nothing(check, capsys):
    check()
    assert capsys.readouterr().out.startswith("nothing is written yet")


WRONG = [
    (lambda: checks.turned_ellipse(64), r"64 is not it: `sprite_image"),
    (lambda: checks.turned_ellipse("none"), "the number of pixels that change is 'none'"),
    (lambda: checks.diagonal_step(64), "64: the corners, where a row meets a column"),
    (lambda: checks.diagonal_step(32), "32: that is a step along x alone"),
    (lambda: checks.diagonal_step(31), "31: what becomes black changes, too"),
    (lambda: checks.diagonal_step(256), "256 is not it: count those"),
    (lambda: checks.bits_for_a_place(8.9), "that is for x alone"),
    (lambda: checks.bits_for_a_place(12.35), "these are nats"),
    (lambda: checks.bits_for_a_place(11.17), "that is to a whole pixel"),
    (lambda: checks.bits_for_a_place(18.64), "the centres lie between 8 and 56"),
    (lambda: checks.bits_for_a_place(230_400), "that is the number of places"),
    (lambda: checks.bits_for_a_place(32_768), "32768 bits: how many squares"),
    (lambda: checks.triangle_period(60), "it stands on its head"),
    (lambda: checks.triangle_period(360), "360 is one, but there is a smaller one"),
    (lambda: checks.triangle_period(0), "a turn by more than nothing"),
    (lambda: checks.triangle_period(90), "90 is not it: draw the triangle"),
    (lambda: checks.ghost_goes_dark(5), "5: half-way is as far from the one centre"),
    (lambda: checks.ghost_goes_dark(20), "a gap of a whole circle"),
    (lambda: checks.ghost_goes_dark(30), "30 is not it: how far from its centre"),
    (lambda: checks.ghost_goes_dark(math.nan), "must be finite"),
    (lambda: checks.diameters(light), "that is the area"),
    (lambda: checks.diameters(lambda p: (light(p) / np.pi).sqrt()), "that is the radius"),
    (lambda: checks.diameters(lambda p: light(p).sqrt()), "π is missing"),
    (lambda: checks.diameters(lambda p: light(p) / 7.85), "the diameters is"),
    (lambda: checks.diameters(lambda p: light(p)[:2]), r"the diameters has shape \[2\]"),
    (lambda: checks.diameters(lambda p: light(p.mul_(2))), "your function changes images"),
    (lambda: checks.two_codes(XY, WOUND, XY, fit_geometry), "similarity R² of stretched is 1.00"),
    (lambda: checks.two_codes(WOUND, WOUND, XY, fit_geometry), "affine R² of stretched is 0.0"),
    (
        lambda: checks.two_codes(STRETCHED, STRETCHED, XY, fit_geometry),
        "affine R² of wound is 1.00: a straight map still follows it",
    ),
    (
        lambda: checks.two_codes(STRETCHED, np.abs(XY - 32), XY, fit_geometry),
        "wound has 25 codes for 81 places",
    ),
    (lambda: checks.two_codes(U, WOUND, XY, fit_geometry), r"stretched has shape \[82\]"),
]


@pytest.mark.parametrize(("check", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_answer_is_told_why(check, sentence):
    with pytest.raises(NotYet, match=sentence):
        check()


def test_no_sentence_gives_a_number_away():
    """The right one is what the exercise asks for."""
    told = []
    for check, _ in WRONG:
        with pytest.raises(NotYet) as caught:
            check()
        told.append(str(caught.value))
    answer = re.compile(r"(?<![\d.])(62|17\.8|120)(?!\d)")
    assert not [sentence for sentence in told if answer.search(sentence)]
