"""Fixtures that several rooms of the grader share."""

import functools

import nbformat
import pytest

from grading import assignments, grade, marks, pages
from grading.marks import Outcome
from grading.release import read_assignment
from grading.sandbox import Sandbox

read_once = functools.cache(read_assignment)


@pytest.fixture
def full_marks(monkeypatch):
    """Every notebook earns at once all marks that the machine gives; none is run, and pages are short."""

    def run(module, job, *_):
        source = nbformat.reads(job["source"], as_version=4)
        for cell in source.cells:
            if assignments.is_test(cell):
                cell.metadata[marks.VERDICT] = ""
        return Outcome(marks.mark_all(source, {}), [], "{}").to_json()

    monkeypatch.setattr(grade, "read_assignment", read_once)
    monkeypatch.setattr(grade, "warm_up", lambda *_: None)
    monkeypatch.setattr(grade, "keep_to_itself", lambda: None)
    monkeypatch.setattr(grade, "find_sandbox", lambda *_: Sandbox())
    monkeypatch.setattr(grade, "run_job", run)
    monkeypatch.setattr(pages, "run_job", lambda *_: "<p>the notebook</p>")
