"""Answers to the assignments' tasks, right and wrong ones, and what each must be told.

Every answer is run in this process, by the task's visible check alone, and by its hidden tests
alone: see `tried`. Lines are long here, since an answer is one.
"""

import functools
import re
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import jupytext

SOURCES = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"
HIDDEN = "### BEGIN HIDDEN TESTS"


class Answer(NamedTuple):
    """An answer to a task."""

    what: str
    """What is unusual in it, or wrong."""
    told: str
    """A part of what it must be told; empty for a right answer."""
    code: str
    """Of the cell."""
    visible: bool = True
    """Whether the visible check sees what is wrong; the hidden tests must in any case."""


class Told(NamedTuple):
    """What an answer is told; None where nothing is found wrong."""

    visible: str | None
    """By the visible check."""
    hidden: str | None
    """By the hidden tests, without the visible check before them."""

    @property
    def first(self) -> str | None:
        """What a student reads when it is graded: the visible check comes first."""
        return self.hidden if self.visible is None else self.visible


def edit(code: str, *changes: str) -> str:
    """Code with parts of it replaced; each part must be there.

    Args:
        code: An answer.
        *changes: What is replaced, by what, what is replaced, by what, and so on.
    """
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        if old not in code:
            raise ValueError(f"{old!r} is not in\n{code}")
        code = code.replace(old, new)
    return code


def tried(number: int, task: str, answer: str) -> Told:
    """What an answer is told by the checks of its task.

    Args:
        number: Of the assignment.
        task: The `grade_id` of the cell to be answered.
        answer: The code of that cell.
    """
    cells = _cells(number)
    return Told(*(_run(number, cells[task], answer, hidden) for hidden in (False, True)))


def solution(number: int, task: str) -> str:
    """The course's own answer."""
    return _cells(number)[task].solution


class _Task(NamedTuple):
    """The cells of a task, as far as they are run here."""

    name: str
    solution: str
    visible: CodeType
    """The visible half of its test."""
    prepare: CodeType
    """The visible half, less what it checks: it also makes names that the hidden half uses."""
    hidden: CodeType


@functools.cache
def _cells(number: int) -> dict[str, _Task]:
    """The tasks of an assignment that are graded by machine."""
    sources = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in _notebook(number).cells
        if cell.cell_type == "code" and "nbgrader" in cell.metadata
    }
    tasks = {}
    for name, source in sources.items():
        task = name.removesuffix("-test")
        if task == name:
            continue
        visible, _, hidden = source.partition(HIDDEN)
        prepare = re.sub(r"^( *)checks\.\w+\(.*\)$", r"\1pass", visible, flags=re.MULTILINE)
        parts = [visible, prepare, hidden]
        codes = [compile(part, f"<{name}>", "exec") for part in parts]
        tasks[task] = _Task(task, sources[task], *codes)
    return tasks


@functools.cache
def _given(number: int) -> dict[str, Any]:
    """The names that an assignment's own cells make."""
    names: dict[str, Any] = {}
    for cell in _notebook(number).cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in ("imports", "paint", "new_vae"):
            exec(compile(cell.source, "<given>", "exec"), names)
    return names


@functools.cache
def _notebook(number: int) -> Any:
    (path,) = SOURCES.glob(f"{number}_*.py")
    return jupytext.read(path)


def _run(number: int, task: _Task, answer: str, hidden: bool) -> str | None:
    """What an answer is told by one half of the test."""
    names = dict(_given(number))
    names["__name__"] = "__main__"
    halves = [task.prepare, task.hidden] if hidden else [task.visible]
    try:
        exec(compile(answer, f"<{task.name}>", "exec"), names)
        for half in halves:
            exec(half, names)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    assert task.name in names, f"no {task.name} is made"
    return None
