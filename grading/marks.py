"""A mark and its reason, as a sentence for the student."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from grading.assignments import (
    is_added,
    is_by_hand,
    is_graded,
    nbgrader_entry,
    rubric,
    task_name,
)
from grading.collected import Submission

VERDICT = "verdict"
"""The entry in the metadata of a test that was run: why it was not passed; empty if it was."""


@dataclass(frozen=True)
class TaskMark:
    """What a task earned, or by hand a row of its rubric, and why not more."""

    task: str
    mark: float | None
    """None where a teacher has to give it and has not yet."""
    possible: float
    reason: str
    """Empty for full marks; a teacher's comment, where one gave the mark."""
    row: str = ""
    """Of the rubric, where a teacher gives the mark."""

    @property
    def is_by_hand(self) -> bool:
        """Whether a teacher gives the mark."""
        return bool(self.row)


@dataclass
class Outcome:
    """What became of a submission."""

    tasks: list[TaskMark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """Sentences about the submission as a whole."""
    notebook: str = ""
    """As it ran, as JSON; empty if nothing ran."""

    @property
    def by_machine(self) -> list[TaskMark]:
        """The tasks that the machine marks."""
        return [task for task in self.tasks if not task.is_by_hand]

    @property
    def by_hand(self) -> list[TaskMark]:
        """What a teacher marks."""
        return [task for task in self.tasks if task.is_by_hand]

    @property
    def total(self) -> float:
        """Marks given by machine."""
        return sum(task.mark or 0 for task in self.by_machine)

    @property
    def possible(self) -> float:
        """Marks that the machine can give."""
        return sum(task.possible for task in self.by_machine)

    @property
    def total_by_hand(self) -> float | None:
        """Marks given by hand; None as long as one is missing."""
        marks = [task.mark for task in self.by_hand]
        return None if None in marks else sum(mark for mark in marks if mark is not None)

    @property
    def possible_by_hand(self) -> float:
        """Marks that are given by hand."""
        return sum(task.possible for task in self.by_hand)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Outcome":
        """Undo `to_json`."""
        tasks = [TaskMark(**task) for task in values["tasks"]]
        return cls(tasks, list(values["notes"]), values["notebook"])


@dataclass
class Result:
    """A submission with what became of it."""

    submission: Submission
    outcome: Outcome
    seconds: float
    """That grading took, on the wall's clock."""
    was_run: bool = True
    """Whether there was a notebook that could be run."""

    @property
    def title(self) -> str:
        """Whose it is, and of which assignment, or which file where that is not known."""
        submission = self.submission
        what = submission.assignment or submission.file or "no notebook"
        return f"{submission.student}: {what}"

    @property
    def order(self) -> tuple[str, str, str]:
        """Where it stands in a table."""
        submission = self.submission
        return submission.student, submission.assignment, submission.file


def mark_all(notebook: NotebookNode, stopped: Mapping[int, str]) -> list[TaskMark]:
    """The marks of a notebook that was run.

    Args:
        notebook: With outputs, and with VERDICT in the metadata of its tests.
        stopped: Numbers of the cells that had to be stopped, with the reason.
    """
    marks = []
    for number, cell in enumerate(notebook.cells):
        if is_by_hand(cell):
            marks += _rows(cell, None, _by_hand(cell, notebook))
        elif is_graded(cell):
            marks.append(_mark(number, notebook, stopped))
    return marks


def no_marks(source: NotebookNode, reason: str) -> list[TaskMark]:
    """Zero for every task, those that are marked by hand included."""
    marks = []
    for cell in source.cells:
        if is_by_hand(cell):
            marks += _rows(cell, 0.0, reason)
        elif is_graded(cell):
            marks.append(TaskMark(task_name(cell), 0.0, _points(cell), reason))
    return marks


def _rows(cell: NotebookNode, mark: float | None, reason: str) -> list[TaskMark]:
    """The same for every row of the rubric of a cell."""
    task, rows = task_name(cell), rubric(cell)
    return [TaskMark(task, mark, most, reason, row) for row, most in rows.items()]


def _mark(number: int, notebook: NotebookNode, stopped: Mapping[int, str]) -> TaskMark:
    cell = notebook.cells[number]
    possible = _points(cell)
    reason = _why_not(number, notebook, stopped)
    return TaskMark(task_name(cell), 0.0 if reason else possible, possible, reason)


def _points(cell: NotebookNode) -> float:
    return float(nbgrader_entry(cell)["points"])


def _by_hand(cell: NotebookNode, notebook: NotebookNode) -> str:
    if cell.source.strip():
        return "to be graded by hand"
    if any(is_added(other) for other in notebook.cells):
        return "to be graded by hand: the cell is empty, see those that were added"
    return "nothing handed in"


def _why_not(number: int, notebook: NotebookNode, stopped: Mapping[int, str]) -> str:
    """Why a test was not passed; empty if it was."""
    cell = notebook.cells[number]
    if number in stopped:
        return f"stopped: {stopped[number]}"
    for other, reason in stopped.items():
        if notebook.cells[other].id == task_name(cell):
            return f"the answer's cell was stopped: {reason}"
    return str(cell.metadata.get(VERDICT, "the check was left before its end"))


def explain(name: str, value: str) -> str:
    """An exception as a sentence for the student.

    Args:
        name: Of its class.
        value: Its message.
    """
    if name == "NotYet":
        return value
    if name == "NotImplementedError":
        return f"not done yet: {value}"
    missing = re.match(r"name '(\w+)' is not defined", value)
    if missing:
        there = f"there is no {missing[1]!r}: it has another name, or its cell failed"
        return f"{there}; keep the names that are given"
    return f"{name}: {value[:300]}"
