"""The sources in a course of nbgrader's, as JupyterHubs have them: its own commands mark them right."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from grading import assignments, release
from tests.grading.helpers import FIRST, NAMES, machine_tasks

FOURTH = NAMES[3]
USED = [FIRST, FOURTH]
EVIDENCE = "affine R2 0.97 of a run that nobody repeats"


def answered(given: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """What students got, with the course's own answers, and an experiment's output."""
    answers = {cell.id: cell.source for cell in assignments.read_source(name).cells}
    for cell in given.cells:
        if assignments.is_answer(cell):
            cell.source = answers[assignments.nbgrader_entry(cell)["grade_id"]]
            if assignments.is_not_run(cell):
                cell.outputs = [new_output("stream", text=EVIDENCE)]
    return given


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in which nbgrader has released, graded and given feedback; its folder."""
    folder = tmp_path_factory.mktemp("course")
    assert release.main(["--nbgrader", str(folder)]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYTHONPATH", str(assignments.ROOT))  # the library is installed
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # for alembic
        config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
        api = NbGraderAPI(config=config)
        for name in USED:
            succeed(api.generate_assignment(name))
            given = folder / "release" / name / f"{name}.ipynb"
            for student, make in [("solution", answered), ("untouched", lambda given, _: given)]:
                path = folder / "submitted" / student / name / f"{name}.ipynb"
                path.parent.mkdir(parents=True)
                nbformat.write(make(nbformat.read(given, as_version=4), name), path)
                succeed(api.autograde(name, student))
                succeed(api.generate_feedback(name, student))
    return folder


def succeed(answer: dict) -> None:
    assert answer["success"], answer.get("error", "") + answer.get("log", "")


def scores(course, name: str, student: str) -> dict[str, float | None]:
    """What nbgrader gave for each task that the machine marks."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(name, name, student).grades
        found = {grade.name.removesuffix("-test"): grade.auto_score for grade in grades}
    return {task: found[task] for task in machine_tasks(name)}


@pytest.mark.parametrize("name", USED)
def test_nbgrader_gives_the_solution_full_marks_and_the_untouched_release_none(name, course):
    assert scores(course, name, "solution") == machine_tasks(name)
    assert set(scores(course, name, "untouched").values()) == {0}


@pytest.mark.parametrize("name", USED)
def test_nbgrader_s_release_holds_no_solution_and_no_hidden_test(name, course):
    text = (course / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "NotImplementedError" in text
    for secret in ["BEGIN SOLUTION", "HIDDEN TESTS", "MARK SCHEME", "_right"]:
        assert secret not in text


def test_an_experiment_is_not_run_again_and_its_output_is_in_the_feedback(course):
    page = course / "feedback" / "solution" / FOURTH / f"{FOURTH}.html"
    assert page.read_text(encoding="utf-8").count(EVIDENCE) == 2
