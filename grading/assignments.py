"""The sources of the assignments, and what each of their cells is for."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "assignments"
NOT_RUN = "not-run-for-grading"
"""The tag of pictures for the student's eyes and of experiments that train for minutes."""
ADDED = "added_by_student"
"""The entry in the metadata of a cell that is the student's own."""

WHOLE = "the whole answer"
"""The rubric's row of a cell whose source names none."""


HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
"""What students do not see of a test."""


@dataclass(frozen=True)
class Assignment:
    """An assignment as its author wrote it, and as students got it; the cells correspond."""

    name: str
    """The stem of its source."""
    source: NotebookNode
    """With solutions and all tests."""
    released: NotebookNode
    """Without solutions and hidden tests."""


def names() -> list[str]:
    """The assignments, by the stems of their sources."""
    return sorted(path.stem for path in SOURCES.glob("[0-9]_*.py"))


def read_source(name: str) -> NotebookNode:
    """The notebook of an assignment, with solutions and all tests.

    Args:
        name: One of `names()`.

    Returns:
        The notebook. The id of a cell is its nbgrader grade_id where it has one, else its number.
    """
    import jupytext  # here: the process that runs a submission does without

    notebook = jupytext.read(SOURCES / f"{name}.py")
    for number, cell in enumerate(notebook.cells):
        cell.id = nbgrader_entry(cell).get("grade_id", f"cell-{number}")
    notebook.metadata.pop("jupytext", None)
    return notebook


def grade_ids(name: str) -> set[str]:
    """What nbgrader calls the cells of an assignment, where it calls them anything.

    Args:
        name: One of `names()`.
    """
    entries = [nbgrader_entry(cell) for cell in read_source(name).cells]
    return {entry["grade_id"] for entry in entries if "grade_id" in entry}


def nbgrader_entry(cell: NotebookNode) -> dict[str, Any]:
    """What nbgrader notes about a cell; empty where it notes nothing readable."""
    entry = cell.metadata.get("nbgrader", {})
    return entry if isinstance(entry, dict) else {}


def is_graded(cell: NotebookNode) -> bool:
    """Whether there are marks for the cell."""
    return bool(nbgrader_entry(cell).get("grade"))


def is_answer(cell: NotebookNode) -> bool:
    """Whether the cell is for the student to fill in."""
    return bool(nbgrader_entry(cell).get("solution"))


def is_by_hand(cell: NotebookNode) -> bool:
    """Whether a teacher marks the cell."""
    return is_graded(cell) and is_answer(cell)


def is_test(cell: NotebookNode) -> bool:
    """Whether running the cell decides a mark."""
    return is_graded(cell) and not is_answer(cell)


def is_not_run(cell: NotebookNode) -> bool:
    """Whether grading leaves the cell out and shows the output that was handed in."""
    return NOT_RUN in cell.metadata.get("tags", [])


def is_added(cell: NotebookNode) -> bool:
    """Whether the cell is the student's own."""
    return bool(cell.metadata.get(ADDED))


def rubric(cell: NotebookNode) -> dict[str, float]:
    """What a teacher gives marks for in a cell, with the most marks for each.

    The source says it in the cell's metadata, `rubric=[["Evidence", 4], ...]`; where it says
    nothing, there is one mark for the whole.
    """
    points = float(nbgrader_entry(cell)["points"])
    rows = dict(cell.metadata.get("rubric", {WHOLE: points}))
    return {row: float(most) for row, most in rows.items()}


@functools.cache
def points(name: str) -> tuple[float, float]:
    """The marks of an assignment that are given by machine, and by hand.

    Args:
        name: One of `names()`; what an older release had earns no marks.
    """
    if name not in names():
        return 0.0, 0.0
    cells = [cell for cell in read_source(name).cells if is_graded(cell)]
    by_machine = sum(float(nbgrader_entry(cell)["points"]) for cell in cells if is_test(cell))
    by_hand = sum(sum(rubric(cell).values()) for cell in cells if is_by_hand(cell))
    return by_machine, by_hand


def task_name(cell: NotebookNode) -> str:
    """What the task of a graded cell is called: a test is named for the answer it tests."""
    return str(nbgrader_entry(cell)["grade_id"]).removesuffix("-test")
