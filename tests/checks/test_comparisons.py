"""The exercises of notebooks 04 and 05: right answers are let pass, wrong ones are told why."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sbd_utils import checks, evaluation_grid, neighbor_r2, render_batch
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
XY = np.stack(evaluation_grid()[:2], 1)
LABELED = np.array([[14.0, 14.0], [50.0, 14.0], [14.0, 50.0]])
MATRIX = np.array([[0.1, -0.2], [0.2, 0.1], [3.0, -1.0]])
CODES = LABELED @ MATRIX[:2] + MATRIX[2]
SCORES = np.array([4.0, 5.0, 4.5, 71.0])
GENERATOR = np.random.default_rng(0)
PLACES = GENERATOR.uniform(8, 56, (400, 2))
NETWORKS = {
    "sharp": (PLACES / 14, np.full((400, 2), -9.0)),
    "vague": (PLACES / 140, np.zeros((400, 2))),
}
CIRCLES = render_batch("ellipse", torch.tensor([20.0, 40.0]), torch.tensor([30.0, 30.0]))


def halves(distance):
    left, right = (render_batch("ellipse", XY[:, 0] + d, XY[:, 1]) for d in (-distance, distance))
    return (left + right) / 2


def sampled(factor=1.0):
    found = {}
    for name, (mean, logvar) in NETWORKS.items():
        noise = np.random.default_rng(7).standard_normal(mean.shape)
        found[name] = neighbor_r2(mean + factor * np.exp(logvar / 2) * noise, PLACES)
    return found


def run(decoder, latents, affine=0.0, similarity=0.0):
    return SimpleNamespace(
        recipe="fast",
        decoder=decoder,
        informative_latents=latents,
        affine_r2=affine,
        similarity_r2=similarity,
    )


RUNS = [run("a", 0, 0.9, 0.9), run("a", 3, 0.8, 0.3), run("b", 4, 0.2, 0.1)]
FORMER = [run("a", 2), run("a", 3), run("b", 4)]

CASES = [
    (checks.greatest_of_the_awake, (0.3, RUNS)),
    (checks.share_that_changed_most, ("a", ["a", "b"], RUNS, FORMER)),
    (checks.bits_and_places, (10 / math.log(2), math.exp(10), 10.0)),
    (checks.bits_and_places, (torch.tensor(14.427), 22_026.5, torch.tensor(10.0))),
    (checks.axes_from_three_labels, (MATRIX, LABELED, CODES)),
    (checks.axes_from_three_labels, (torch.as_tensor(MATRIX), LABELED, CODES)),
    (checks.unfaithful_code, (XY @ [[1.0, 1.0], [0.05, -0.05]], XY)),
    (checks.unfaithful_code, ((XY * [1, 10]).tolist(), XY)),
    (checks.two_halves, (halves(6), XY)),
    (checks.two_halves, (halves(7).numpy()[:, 0], XY)),
    (checks.runs_without_a_failure, (36,)),
    (checks.runs_for_power, (22,)),
    (checks.mean_and_median, ((84.5 / 4 - 4.5, 0.25), SCORES)),
    (checks.mean_and_median, ([4.5 - 84.5 / 4, -0.25], SCORES)),
    (checks.read_from_samples, (sampled(), NETWORKS, PLACES)),
    (checks.one_stamp, (0.0, 2.0, CIRCLES, CIRCLES)),
]


@pytest.mark.parametrize(("check", "given"), CASES)
def test_a_right_answer_is_let_pass_in_any_form(check, given, capsys):
    check(*given)
    assert capsys.readouterr().out.endswith(SOLVED)


CHECKS = list(
    dict.fromkeys(check for check, _ in CASES)
)  # in an order that is the same in every process


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_an_exercise_that_is_not_done_stops_nothing(check, capsys):
    given = next(list(given) for case, given in CASES if case is check)
    given[0] = ...
    check(*given)
    assert capsys.readouterr().out.startswith("nothing is written yet")


@pytest.mark.parametrize(
    ("check", "given", "message"),
    [
        (checks.greatest_of_the_awake, (0.8, RUNS), "this is the affine R²"),
        (checks.greatest_of_the_awake, (0.9, RUNS), "is 0.9 where 0.3 is right"),
        (checks.share_that_changed_most, ("b", ["a", "b"], RUNS, FORMER), "another's moves by 50%"),
        (checks.share_that_changed_most, ("c", ["a", "b"], RUNS, FORMER), "none of a, b"),
        (checks.bits_and_places, (10, 22_026, 10.0), "these are nats"),
        (checks.bits_and_places, (6.931, 22_026, 10.0), "more bits than nats"),
        (checks.bits_and_places, (14.427, math.exp(5), 10.0), "both coordinates together"),
        (checks.bits_and_places, (14.427, 14.427, 10.0), "each bit doubles them"),
        (checks.axes_from_three_labels, (MATRIX.T, LABELED, CODES), r"\[x, y, 1\] @ matrix"),
        (checks.axes_from_three_labels, (MATRIX[:1], LABELED, CODES), r"\[3, 2\] is asked for"),
        (checks.axes_from_three_labels, (MATRIX + 0.1, LABELED, CODES), "three labelled circles"),
        (checks.unfaithful_code, (XY, XY), "similarity R² is 1.00: that code is faithful"),
        (checks.unfaithful_code, (XY**4, XY), "affine R² is .*that score notices"),
        (checks.unfaithful_code, (XY[:5], XY), "is asked for"),
        (checks.unfaithful_code, (XY * [1, 0], XY), "the same everywhere"),
        (checks.two_halves, (halves(0), XY), "at the place itself is light, up to 1.0"),
        (checks.two_halves, (halves(6) * 0, XY), "black"),
        (checks.two_halves, (halves(6).flip(3), XY), "off: draw both at equal distances"),
        (checks.two_halves, (halves(6)[:3], XY), "must be 310"),
        (checks.runs_without_a_failure, (29,), "2.5 % on either side"),
        (checks.runs_without_a_failure, (20,), "with 20 runs the interval begins at 0.83"),
        (checks.runs_without_a_failure, (50,), "fewer are, too"),
        (checks.runs_without_a_failure, (0,), "at least one run"),
        (checks.runs_without_a_failure, (36.5,), "half a run"),
        (checks.runs_for_power, (10,), "too few"),
        (checks.runs_for_power, (60,), "fewer would do"),
        (checks.runs_for_power, (1,), "from 2 to 1000"),
        (checks.mean_and_median, ((0.25, 84.5 / 4 - 4.5), SCORES), "first the mean's move"),
        (checks.mean_and_median, (3.0, SCORES), "two numbers"),
        (checks.read_from_samples, (sampled(0), NETWORKS, PLACES), "vague: that is the R² of the"),
        (checks.read_from_samples, ({"sharp": 1.0}, NETWORKS, PLACES), "no R² for vague"),
        (checks.read_from_samples, (sampled() | {"sharp": 0.5}, NETWORKS, PLACES), "is right"),
        (
            checks.one_stamp,
            (CIRCLES.square().sum().item(), 2.0, CIRCLES, 0 * CIRCLES),
            "the sum|is",
        ),
        (checks.one_stamp, (5.0, 2.0, CIRCLES, CIRCLES), "the squared error is 5 where 0"),
    ],
)
def test_a_wrong_answer_is_told_why(check, given, message):
    with pytest.raises(NotYet, match=message):
        check(*given)
