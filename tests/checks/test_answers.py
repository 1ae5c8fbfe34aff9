"""Every answer of tests/grading/answers_N.py, by the visible check alone and by the hidden tests alone.

Right answers earn their marks in whatever form; wrong ones are told what is wrong, by both halves
of the test, so that a student reads it before the work is handed in.
"""

import collections

import pytest
import torch

from tests.grading.answers import Answer, solution, tried
from tests.grading.wrong_answers import RIGHT, WRONG, Entry


def parameters(entries: list[Entry]) -> list:
    return [
        pytest.param(entry, id=f"{entry.task}-{entry.answer.what}".replace(" ", "_"))
        for entry in entries
    ]


def test_there_are_enough_of_each():
    assert len(WRONG) >= 151 + 60
    assert len(RIGHT) >= 40
    for entries, fewest in [(WRONG, 10), (RIGHT, 3)]:
        of_each = collections.Counter((entry.number, entry.task) for entry in entries)
        assert min(of_each.values()) >= fewest
        assert len(of_each) == 21
    names = [(entry.task, entry.answer.what) for entry in [*WRONG, *RIGHT]]
    codes = [(entry.task, entry.answer.code) for entry in [*WRONG, *RIGHT]]
    assert len(set(names)) == len(names)
    assert len(set(codes)) == len(codes)
    assert [entry.answer.what for entry in WRONG if not entry.answer.told] == []
    assert [entry.answer.what for entry in RIGHT if entry.answer.told] == []


@pytest.mark.parametrize("entry", parameters(RIGHT))
def test_a_right_answer_in_an_unusual_form_passes(entry):
    assert tried(entry.number, entry.task, entry.answer.code) == (None, None)


@pytest.mark.parametrize("entry", parameters(WRONG))
def test_a_wrong_answer_is_told_what_is_wrong(entry):
    told = tried(entry.number, entry.task, entry.answer.code)
    assert told.hidden is not None, "the hidden tests alone do not see it"
    assert (told.visible is not None) == entry.answer.visible
    assert entry.answer.told in str(told.first)


def test_an_answer_that_changed_what_it_was_given_spoils_no_check_after_it():
    changing = [entry for entry in WRONG if "your function changes" in entry.answer.told]
    assert len(changing) >= 25
    for entry in changing:
        tried(entry.number, entry.task, entry.answer.code)
    for number, task in sorted({(entry.number, entry.task) for entry in changing}):
        assert tried(number, task, solution(number, task)) == (None, None)


@pytest.mark.parametrize(
    "task", ["Decoder", "loss", "training_step", "multiply_adds", "square_weights"]
)
def test_a_right_answer_passes_where_gradients_are_switched_off(task):
    torch.set_grad_enabled(False)
    try:
        assert tried(2, task, solution(2, task)) == (None, None)
    finally:
        torch.set_grad_enabled(True)


def test_a_part_that_is_not_there_is_not_replaced():
    from tests.grading.answers import edit

    assert edit("a b", "a", "c", "b", "d") == "c d"
    with pytest.raises(ValueError, match="'x' is not in"):
        edit("a b", "x", "y")
    assert Answer("what", "told", "code").visible
