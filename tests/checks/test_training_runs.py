"""The exercises of notebook 03: right answers are let pass, wrong ones are told why."""

import math

import numpy as np
import pytest
import torch

from sbd_utils import checks
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
MEANS = torch.tensor([[1.0, 0.1, 4.0], [3.0, -0.1, 8.0]])
LOGVAR = torch.tensor([[-4.0, 0.0, -6.0], [-4.0, 0.0, -6.0]])
CONTROL = torch.ones(250, 10)
UPDATES = np.array([3, 447, 450, 453])
RUNS = {
    "beta 1": np.array([[0.0] * 3, [1] * 3, [1] * 3, [0] * 3]),
    "recipe": np.array([[0.0] * 3, [1, 1, 0], [2, 0.1, 0.09], [0] * 3]),
}


def known_to(nats):
    return 48 / math.exp(nats / 2) / math.sqrt(2 * math.pi * math.e)


def awake(answer):
    checks.awake(answer, RUNS, UPDATES, at=450)


RIGHT = [
    lambda: checks.known_to(known_to),
    lambda: checks.known_to(lambda nats: torch.tensor(known_to(nats))),
    lambda: checks.spread_of_means(MEANS.std(0), MEANS, LOGVAR),
    lambda: checks.without_price(8 * CONTROL, CONTROL),
    lambda: awake({"beta 1": 3, "recipe": 2}),
]


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_answer_is_let_pass(check, capsys):
    check()
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks.known_to(lambda nats: ...),
        lambda: checks.spread_of_means(..., MEANS, LOGVAR),
        lambda: checks.without_price(..., CONTROL),
        lambda: awake(...),
    ],
)
def test_an_exercise_that_is_not_done_stops_nothing(check, capsys):
    check()
    assert capsys.readouterr().out.startswith("nothing is written yet")


WRONG = [
    (lambda: checks.known_to(lambda nats: known_to(2 * nats)), "each has half"),
    (lambda: checks.known_to(lambda nats: 48 / math.exp(nats / 2)), "uniform interval"),
    (lambda: checks.known_to(lambda nats: known_to(nats) * 4 / 3), "keep 8 from each border"),
    (lambda: checks.known_to(lambda nats: known_to(nats * math.log(2))), "bits with 2"),
    (lambda: checks.known_to(lambda nats: known_to(nats) + 1), r"known_to\(0\) is"),
    (lambda: checks.spread_of_means(MEANS.var(0), MEANS, LOGVAR), "this is the variance"),
    (lambda: checks.spread_of_means((LOGVAR / 2).exp()[0], MEANS, LOGVAR), "own width"),
    (lambda: checks.spread_of_means(MEANS.mean(0), MEANS, LOGVAR), "the means' means"),
    (lambda: checks.spread_of_means(MEANS.std(1), MEANS, LOGVAR), "has shape"),
    (lambda: checks.without_price(CONTROL, CONTROL), "1.0 times the control's"),
    (lambda: checks.without_price(CONTROL[-1], CONTROL), "has shape"),
    (lambda: awake(3), "a dict is asked for"),
    (lambda: awake({"beta 1": 3}), "no number for the run recipe"),
    (lambda: awake({"beta 1": 3, "recipe": 1}), "recipe: you have counted those asleep"),
    (lambda: awake({"beta 1": 3, "recipe": 3}), "recipe: in the row of update 450"),
]


@pytest.mark.parametrize(("check", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_answer_is_told_why(check, sentence):
    with pytest.raises(NotYet, match=sentence):
        check()
