"""The exercises of notebook 09: right answers are let pass, wrong ones are told why."""

import math

import numpy as np
import pytest
import torch

from sbd_utils import checks
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
CODES = torch.arange(24.0).view(2, 4, 3)
EXCHANGED = CODES.clone()
EXCHANGED[0, 1], EXCHANGED[1, 3] = CODES[1, 3], CODES[0, 1]
TRUE = np.zeros((1, 3, 2, 4))
TRUE[0, 0, :, 1:3] = TRUE[0, 1, :, 0] = TRUE[0, 2, :, 3] = 1


def masks(*rows):
    """One-hot masks [1, 3, 2, 4] of slots by their numbers."""
    return np.moveaxis(np.eye(3)[np.array(rows)], -1, 0)[None]


TILES = masks([0, 0, 2, 2], [0, 0, 2, 2])


def exchanged(answer):
    checks.exchanged_slots(answer, CODES, 1, 3)


RIGHT = [
    lambda: checks.logit_ahead(math.log(99)),
    lambda: checks.logit_ahead(torch.tensor(4.6)),
    lambda: checks.one_valley(0.5),
    lambda: checks.one_valley(np.float32(0.51)),
    lambda: exchanged(EXCHANGED),
    lambda: exchanged(EXCHANGED.numpy()),
    lambda: checks.blind_tiles(TILES, TRUE),
    lambda: checks.blind_tiles(torch.tensor(TILES), torch.tensor(TRUE)),
]


@pytest.mark.parametrize("check", RIGHT)
def test_a_right_answer_is_let_pass(check, capsys):
    check()
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (lambda: checks.logit_ahead(math.log(0.99)), "both slots' exps stand below"),
        (lambda: checks.logit_ahead(99), "its logarithm is the difference"),
        (lambda: checks.logit_ahead(-math.log(99)), "the sign is turned"),
        (lambda: checks.logit_ahead(5), "ahead is 5 where 4.595 is right"),
        (lambda: checks.logit_ahead("4.6"), "it must be a number"),
        (lambda: checks.one_valley(0.25), "this is the variance"),
        (lambda: checks.one_valley(1), "the distance of the two colours"),
        (lambda: checks.one_valley(0.4), "std is 0.4 where 0.5 is right"),
        (lambda: exchanged(CODES), "nothing was exchanged"),
        (lambda: exchanged(CODES.flip(0)), "whole scenes"),
        (lambda: exchanged(CODES[0]), "has shape"),
        (lambda: exchanged(EXCHANGED + 1), "the codes: the number at"),
        (lambda: checks.blind_tiles(TILES[:, :, :1], TRUE), "tiles has shape"),
        (lambda: checks.blind_tiles(TRUE, TRUE), "the ground has a slot of its own"),
        (lambda: checks.blind_tiles(masks([0] * 4, [0] * 4), TRUE), "two objects are in one slot"),
        (lambda: checks.blind_tiles(masks([0, 0, 2, 2], [1, 1, 2, 2]), TRUE), "is cut up"),
        (lambda: checks.blind_tiles(masks([0, 0, 0, 2], [0, 0, 0, 2]), TRUE), "has all the ground"),
    ],
)
def test_a_wrong_answer_is_told_why(check, told):
    with pytest.raises(NotYet, match=told.replace("(", r"\(")):
        check()


def test_codes_of_one_slot_in_both_scenes_and_codes_that_were_written_over():
    crossed, lost = CODES.clone(), CODES.clone()
    crossed[0, 1], crossed[1, 1] = CODES[1, 1], CODES[0, 1]
    lost[0, 1] = CODES[1, 3]
    with pytest.raises(NotYet, match="the same slot was taken in both"):
        exchanged(crossed)
    with pytest.raises(NotYet, match="written over before it was copied"):
        exchanged(lost)


@pytest.mark.parametrize(
    "check",
    [
        lambda: checks.logit_ahead(...),
        lambda: checks.one_valley(...),
        lambda: exchanged(...),
        lambda: checks.blind_tiles(..., TRUE),
    ],
)
def test_what_is_not_written_yet_is_no_mistake(check, capsys):
    check()
    assert "nothing is written yet" in capsys.readouterr().out
