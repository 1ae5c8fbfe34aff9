"""The exercises of notebook 07: right answers are let pass, wrong ones are told why."""

import re

import numpy as np
import pytest
import torch

from sbd_utils import checks, mig, toy_code, turn_pairs
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
UNWRITTEN = "nothing is written yet"


def right_gap(known, entropy):
    second, first = np.sort(known, axis=0)[-2:]
    return ((first - second) / entropy).mean()


def gap_by_loops(known, entropy):
    total = 0.0
    for column, most in zip(np.transpose(known), entropy, strict=True):
        first, second = sorted(column, reverse=True)[:2]
        total += (first - second) / most
    return torch.tensor(total / len(entropy))


@pytest.mark.parametrize("gap", [right_gap, gap_by_loops])
def test_the_gap_in_any_form(gap, capsys):
    checks.information_gap(gap)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (lambda known, entropy: (known.max(0) / entropy).mean(), "take off what the second best"),
        (lambda known, entropy: right_gap(known, np.ones_like(entropy)), "this is in nats"),
        (
            lambda known, entropy: right_gap(known, np.ones_like(entropy)) / entropy.mean(),
            "by its own factor's entropy",
        ),
        (
            lambda known, entropy: (np.ptp(known, axis=0) / entropy).mean(),
            "the best less the worst",
        ),
        (
            lambda known, entropy: right_gap(known.T, entropy),
            "sort each column, not each row",
        ),
        (lambda known, entropy: right_gap(known, entropy) + 0.1, "is right"),
        (lambda known, entropy: [1, 2], "a number"),
    ],
)
def test_what_is_wrong_with_a_gap_is_said(gap, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.information_gap(gap)


def test_a_gap_that_changes_its_input_is_told_so():
    def in_place(known, entropy):
        known.sort(axis=0)
        return ((known[-1] - known[-2]) / entropy).mean()

    with pytest.raises(NotYet, match="changes known"):
        checks.information_gap(in_place)


def test_the_ceiling_is_that_of_all_pairs_of_values(capsys):
    """Counted over a table in which every pair of values occurs once."""
    factors = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1).reshape(-1, 2)
    checks.ceiling_of_bins(mig(factors, factors).ceiling, values=32, bins=20)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (1, "some values share a bin"),
        (np.log(20) / np.log(32), "the entropies' ratio"),
        (1 - 12 / 32 * np.log(2) / np.log(32), "count the values that share a bin"),
        (24 / 32 * np.log(2) / np.log(32), "this is what is missing"),
        (0.5, "is right"),
        ("0.85", "must be a number"),
    ],
)
def test_what_is_wrong_with_a_ceiling_is_said(answer, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.ceiling_of_bins(answer, values=32, bins=20)


TOY = toy_code(500, angle=30)
IDLE = 0.01 * np.random.default_rng(0).normal(size=(500, 3))
CODES = np.hstack([IDLE[:, :1], 1.7 * TOY.codes[:, :1], IDLE[:, 1:], 1.7 * TOY.codes[:, 1:]])


def turned_by(degrees, scale=1.0, codes=CODES):
    upright = codes.copy()
    upright[:, [1, 4]] = scale * turn_pairs(codes[:, [1, 4]], degrees)
    return upright


@pytest.mark.parametrize("degrees", [-30, 60, 150])
def test_a_code_that_was_turned_back_may_be_swapped_and_mirrored(degrees, capsys):
    checks.turned_back(turned_by(degrees), CODES, TOY.factors)
    checks.turned_back(-turned_by(degrees), -CODES, TOY.factors)
    assert capsys.readouterr().out.count(SOLVED) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (CODES, "is the angle the fitted one"),
        (turned_by(30), "is the angle the fitted one"),
        (turned_by(-30, scale=2), "distances between codes have changed"),
        (turn_pairs(CODES, -30), "another has changed"),
        (turned_by(-30)[:, [1, 4]], "has shape [500, 2]"),
    ],
)
def test_what_is_wrong_with_a_turn_is_said(answer, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.turned_back(answer, CODES, TOY.factors)


NOISY = toy_code(500, noise=0.3)
QUANTILES = np.quantile(
    [
        mig(NOISY.codes[rows], NOISY.factors[rows], continuous=True).value
        for rows in np.random.default_rng(1).integers(500, size=(60, 500))
    ],
    [0.025, 0.975],
)


def test_the_library_gives_the_interval(capsys):
    found = mig(NOISY.codes, NOISY.factors, continuous=True, bootstrap=100).interval
    checks.interval_of_noisy(found, NOISY.codes, NOISY.factors)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (tuple(QUANTILES), "mirror them about the value"),
        (0.3, "two ends"),
        ((0.3, 0.1), "must be below"),
        ((0.0, 1.0), "where about"),
    ],
)
def test_what_is_wrong_with_an_interval_is_said(answer, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.interval_of_noisy(answer, NOISY.codes, NOISY.factors)


def test_what_is_not_written_yet_is_no_mistake(capsys):
    checks.information_gap(lambda known, entropy: None)
    checks.ceiling_of_bins(..., values=32, bins=20)
    checks.turned_back(..., CODES, TOY.factors)
    checks.interval_of_noisy(..., NOISY.codes, NOISY.factors)
    assert capsys.readouterr().out.count(UNWRITTEN) == 4
