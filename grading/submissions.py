"""A notebook that was handed in: read, and put into the course's without losing a word."""

import copy
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading.assignments import (
    ADDED,
    NOT_RUN,
    is_added,
    is_answer,
    is_not_run,
    is_test,
    nbgrader_entry,
)
from grading.collected import FILE_BYTES

TOP = ""
"""Stands for the name of a released cell where a student's own cells come before all of them."""


class UnreadableError(ValueError):
    """A file holds no notebook; the message is a sentence for the student."""


def read(path: Path) -> NotebookNode:
    """Read a notebook that was handed in.

    Args:
        path: The file.

    Returns:
        The notebook in the newest format, with at least one cell.

    Raises:
        UnreadableError: It is none.
    """
    if path.stat().st_size > FILE_BYTES:
        most = f"{FILE_BYTES / 1e6:g} MB"
        raise UnreadableError(f"the file has more than {most}; clear the outputs")
    try:
        text = path.read_bytes().decode("utf-8-sig")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever a broken file makes the reader raise
        kind = type(error).__name__
        reason = f"the file is not a Jupyter notebook ({kind}); hand in the .ipynb file"
        raise UnreadableError(reason) from None
    if not notebook.cells:
        raise UnreadableError("the notebook has no cells")
    return notebook


# Putting a submission into the course's notebook


@dataclass
class Merged:
    """The course's notebook with what a student wrote."""

    notebook: NotebookNode
    notes: list[str]
    """What was found missing, changed or out of place, for the teacher and the student."""


@dataclass
class Parts:
    """The cells of a submission, sorted by what they are."""

    given: dict[str, NotebookNode] = field(default_factory=dict)
    """The student's version of each released cell, by its name, in the submission's order."""
    added: dict[str, list[NotebookNode]] = field(default_factory=dict)
    """The student's own cells, by the released cell that they follow, or TOP."""
    notes: list[str] = field(default_factory=list)


def merge(source: NotebookNode, released: NotebookNode, submission: NotebookNode) -> Merged:
    """Put what a student wrote into the course's notebook.

    The tests and all other cells of the course are the course's own, in its order. Answers are the
    student's, and every cell that the student added, or wrote into a cell of the course, stands
    where it stood. The student's own cells after the last test decide no mark: they are not run.

    Args:
        source: The notebook with all tests; not changed.
        released: What the student got; not changed.
        submission: What came back; its cells are used up.
    """
    parts = _sort(submission, [cell.id for cell in source.cells])
    merged = copy.deepcopy(source)
    merged.cells = _at_the_top(parts)
    waiting = [cell for cell in parts.added.get(TOP, []) if cell.cell_type == "code"]
    for cell, as_released in zip(copy.deepcopy(source.cells), released.cells, strict=True):
        if is_answer(cell):
            theirs = _fill_in(cell, parts)
        else:
            theirs = _written_into(cell, as_released, parts)
        # A definition in the cell of a test must come before the course's test, as an answer does.
        merged.cells += [*theirs, cell] if is_test(cell) else [cell, *theirs]
        if cell.cell_type == "code" and waiting:  # what stood above needs the imports at least
            merged.cells += waiting
            parts.notes.append("code from above the first cell of code ran after it")
            waiting = []
        merged.cells += parts.added.get(cell.id, [])
    _name_and_mark_added(merged.cells)
    return Merged(merged, parts.notes)


def _sort(submission: NotebookNode, known: list[str]) -> Parts:
    parts, last = Parts(), TOP
    originals = _originals(submission, known)
    for number, cell in enumerate(submission.cells):
        if number in originals:
            last = originals[number]
            parts.given[last] = cell
        elif cell.source.strip() or cell.get("outputs"):
            name = _name(cell, known)
            if name:
                parts.notes.append(f"cell {name!r} is there twice: the copy is a cell of one's own")
            parts.added.setdefault(last, []).append(_own(cell))
    order = [known.index(name) for name in parts.given]
    if order != sorted(order):
        parts.notes.append("cells were moved: they ran in the course's order")
    return parts


def _originals(submission: NotebookNode, known: list[str]) -> dict[int, str]:
    """Number of the cell in the submission that is each released one; of copies, the original."""
    found: dict[str, int] = {}
    for number, cell in enumerate(submission.cells):
        name = _name(cell, known)
        if name and (name not in found or cell.get("id") == name):
            found[name] = number
    return {number: name for name, number in found.items()}


def _name(cell: NotebookNode, known: list[str]) -> str:
    """The released cell that this one is: by its metadata, or by its id if an editor lost them."""
    for name in [nbgrader_entry(cell).get("grade_id"), cell.get("id")]:
        if name in known:
            return str(name)
    return ""


def _own(cell: NotebookNode) -> NotebookNode:
    """A cell of the student's own: whatever it says that it is, it is not graded."""
    cell.metadata = NotebookNode({ADDED: True})
    return cell


def _at_the_top(parts: Parts) -> list[NotebookNode]:
    return [cell for cell in parts.added.get(TOP, []) if cell.cell_type != "code"]


def _fill_in(cell: NotebookNode, parts: Parts) -> list[NotebookNode]:
    """Put the student's answer into the course's cell; what it cannot hold is an own cell."""
    answer = parts.given.get(cell.id)
    if answer is None:
        cell.source = ""
        parts.notes.append(f"cell {cell.id!r} was deleted")
        return []
    cell.source = answer.source
    if "attachments" in answer and cell.cell_type == "markdown":
        cell.attachments = answer.attachments
    if cell.cell_type == "code" and is_not_run(cell):
        cell.outputs = answer.get("outputs", [])
    if answer.cell_type == cell.cell_type:
        return []
    kinds = f"handed in as {answer.cell_type}, and is read as {cell.cell_type}"
    parts.notes.append(f"cell {cell.id!r} was {kinds}")
    return [_own(answer)] if answer.get("outputs") else []


def _written_into(
    cell: NotebookNode, as_released: NotebookNode, parts: Parts
) -> list[NotebookNode]:
    """What the student made of a cell of the course's, as an own cell; none if unchanged."""
    theirs = parts.given.get(cell.id)
    if theirs is None:
        if nbgrader_entry(cell):  # a text of the course's that is gone is nobody's loss
            parts.notes.append(f"cell {cell.id!r} was deleted and was put back")
        return []
    if cell.cell_type == "code" and is_not_run(cell):
        cell.outputs = theirs.get("outputs", [])
    if _plain(theirs.source) in {_plain(as_released.source), _plain(cell.source)}:
        return []
    changed = f"cell {cell.id!r} was changed and was put back"
    if not theirs.source.strip():
        parts.notes.append(changed)
        return []
    parts.notes.append(f"{changed}; the changed one stands beside it")
    return [_own(theirs)]


def _plain(text: str) -> str:
    """Text without what editors change unasked: ends of lines and spaces before them."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _name_and_mark_added(cells: list[NotebookNode]) -> None:
    last_test = max((i for i, cell in enumerate(cells) if is_test(cell)), default=-1)
    for number, cell in enumerate(cells):
        if is_added(cell):
            cell.id = f"added-{number}"
            if number > last_test:
                cell.metadata["tags"] = [NOT_RUN]
