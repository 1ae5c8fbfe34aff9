"""What the tests of the grader share."""

import contextlib
import functools
from collections.abc import Iterator

import nbformat
import pytest

from grading import assignments, grade, marks, pages, release
from grading.sandbox import Sandbox

NAMES = assignments.names()
FIRST = NAMES[0]


def machine_tasks(name: str) -> dict[str, float]:
    """Points of the tasks that are graded by machine."""
    cells = [cell for cell in assignments.read_source(name).cells if assignments.is_test(cell)]
    return {assignments.task_name(cell): cell.metadata["nbgrader"]["points"] for cell in cells}


def released(name: str) -> nbformat.NotebookNode:
    """What students get."""
    return release.read_assignment(name).released


def hidden_lines(name: str) -> list[str]:
    """Lines of an assignment's hidden tests that stand nowhere else in it."""
    text = "\n".join(cell.source for cell in assignments.read_source(name).cells)
    elsewhere = assignments.HIDDEN.sub("", text)
    regions = assignments.HIDDEN.findall(text)
    lines = {line.strip() for region in regions for line in region.splitlines()}
    return [line for line in sorted(lines) if len(line) > 20 and line not in elsewhere]


read_once = functools.cache(release.read_assignment)


@contextlib.contextmanager
def without_running() -> Iterator[None]:
    """No notebook is run: each earns at once all marks of the machine's, and its page is a line."""

    def run(work, job, *_):
        source = nbformat.reads(job["source"], as_version=4)
        for cell in source.cells:
            if assignments.is_test(cell):
                cell.metadata[marks.VERDICT] = ""
        return marks.Outcome(marks.mark_all(source, {}), [], "{}").to_json()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade, "read_assignment", read_once)
        patch.setattr(grade, "warm_up", lambda *_: None)
        patch.setattr(grade, "keep_to_itself", lambda: None)
        patch.setattr(grade, "find_sandbox", lambda *_: Sandbox())
        patch.setattr(grade, "run_job", run)
        patch.setattr(pages, "run_job", lambda *_: "<p>the notebook</p>")
        yield
