"""Where a system has no limits for memory and files, as Windows, the grader runs with those that there are."""

import sys

import nbformat

from grading import assignments, grade, processes, worker
from tests.grading.helpers import NAMES, machine_tasks

LAST = NAMES[-1]


def without_limits(job):
    """Grade a submission in a process that cannot limit itself."""
    sys.modules["resource"] = None
    return worker.work(job)


def test_what_cannot_be_limited_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "resource", None)
    said = processes.missing_limits()
    assert "This system has no limits for memory and for the size of files" in said
    assert "Time is limited." in said


def test_a_submission_is_graded_where_there_is_no_module_for_limits(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(grade, "work", without_limits)
    (tmp_path / "in" / "ada").mkdir(parents=True)
    nbformat.write(assignments.read_source(LAST), tmp_path / "in" / "ada" / f"{LAST}.ipynb")
    (result,) = grade.grade_folder(tmp_path / "in", tmp_path / "out")
    assert result.outcome.total == sum(machine_tasks(LAST).values())
    assert capsys.readouterr().out.count("no limits for memory and for the size of files") == 1
