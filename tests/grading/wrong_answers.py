"""Answers to every task, wrong ones as students give them and right ones in unusual forms.

    python -m tests.grading.wrong_answers

runs them all, in this process, and prints the table: task, answer, what it is told by the visible
check or, where that sees nothing, by the hidden tests. Exits with 1 if one is not as it must be.
tests/grading/test_answers.py has the grader itself mark them.
"""

import contextlib
import io
import sys
import warnings
from typing import NamedTuple

import nbformat

from grading import assignments
from tests.grading import answers_1, answers_2, answers_3, answers_4, answers_5
from tests.grading.answers import Answer, Told, tried


class Entry(NamedTuple):
    """An answer, and to which task."""

    number: int
    """Of the assignment."""
    task: str
    answer: Answer


MODULES = {1: answers_1, 2: answers_2, 3: answers_3, 4: answers_4, 5: answers_5}


def entries(table: str) -> list[Entry]:
    """Of all assignments.

    Args:
        table: RIGHT or WRONG.
    """
    return [
        Entry(number, task, answer)
        for number, module in MODULES.items()
        for task, answers in getattr(module, table).items()
        for answer in answers
    ]


RIGHT = entries("RIGHT")
WRONG = entries("WRONG")


def notebook_with(assignment: str, answers: dict[str, str]) -> nbformat.NotebookNode:
    """The solved notebook with the code of some tasks replaced."""
    notebook = assignments.read_source(assignment)
    for cell in notebook.cells:
        if cell.id in answers:
            cell.source = answers[cell.id]
    return notebook


def as_it_must_be(answer: Answer, told: Told) -> bool:
    """Whether a right answer passes, and a wrong one fails and is told what must be told."""
    if not answer.told:
        return told == (None, None)
    seen = told.hidden is not None and (told.visible is not None) == answer.visible
    return seen and answer.told in str(told.first)


def main() -> int:
    """Try them all, and print a line for each."""
    warnings.simplefilter("ignore")  # of answers: overflows, divisions by zero
    failed = 0
    for number, task, answer in [*WRONG, *RIGHT]:
        with contextlib.redirect_stdout(io.StringIO()):
            told = tried(number, task, answer.code)
        good = as_it_must_be(answer, told)
        failed += not good
        marked = "all marks" if told == (None, None) else f"none: {told.first}"
        print(
            f"{'' if good else 'NOT AS IT MUST BE: '}{number} {task:18} {answer.what:48} {marked}"
        )
    counted = f"{len(WRONG)} wrong answers and {len(RIGHT)} right ones"
    print(f"{counted}; {failed} are not as they must be")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
