"""Runs a task of an assignment, with an answer of the test's, in this process."""

from pathlib import Path
from typing import Any

import jupytext

SOURCES = Path(__file__).resolve().parents[2] / "notebooks" / "assignments"


def told(assignment: int, task: str, answer: str, hidden: bool = True) -> str | None:
    """What an answer is told by the task's visible check, and by the hidden tests; None if nothing.

    Args:
        assignment: Its number.
        task: Its name, the `grade_id` of the cell to be answered.
        answer: The code of that cell.
        hidden: Whether the hidden tests are run, too.
    """
    (path,) = SOURCES.glob(f"{assignment}_*.py")
    names: dict[str, Any] = {}
    for cell in jupytext.read(path).cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name not in ("imports", "paint", task, f"{task}-test"):
            continue
        source = answer if name == task else cell.source
        if not hidden:
            source = source.partition("### BEGIN HIDDEN TESTS")[0]
        try:
            exec(compile(source, f"<{name}>", "exec"), names)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    assert task in names
    return None


def solution(assignment: int, task: str) -> str:
    """The course's own answer."""
    (path,) = SOURCES.glob(f"{assignment}_*.py")
    for cell in jupytext.read(path).cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == task:
            return cell.source
    raise KeyError(task)


def edit(code: str, old: str, new: str) -> str:
    """Code with a part replaced; the part must be there."""
    if old not in code:
        raise ValueError(f"{old!r} is not in\n{code}")
    return code.replace(old, new)
