"""The solutions earn full marks, the untouched releases none, wrong answers lose theirs and are told why.

All are graded by the function behind `make grade`: of the answers in answers_N.py a few for each assignment, several in a
submission. tests/checks/test_answers.py has them all, without a kernel.
"""

import csv
import re

import nbformat
import pytest

from grading import grade
from tests.grading import wrong_answers
from tests.grading.answers import Answer
from tests.grading.helpers import FIRST, NAMES, machine_tasks, released

each_assignment = pytest.mark.parametrize("name", NAMES)


def answers_to(table: str, name: str, number: int) -> dict[str, Answer]:
    """An answer to each task of an assignment, the one with this number in the tasks' lists."""
    tasks = getattr(wrong_answers.MODULES[int(name[0])], table)
    return {task: answers[number % len(answers)] for task, answers in tasks.items()}


def submissions(name: str) -> dict[str, dict[str, Answer]]:
    """Student -> the answers that stand in place of the solutions; in `mixed`, every other task's."""
    wrong = answers_to("WRONG", name, -1)
    return {
        "wrong": answers_to("WRONG", name, 0),
        "mixed": {task: wrong[task] for task in list(wrong)[::2]},
        "unusual": answers_to("RIGHT", name, 0),
        "solution": {},
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder with tables and feedback; (student, assignment) -> the result, and its answers by task."""
    folder = tmp_path_factory.mktemp("answers")
    written = {}
    for name in NAMES:
        made = {
            student: wrong_answers.notebook_with(
                name, {task: a.code for task, a in answers.items()}
            )
            for student, answers in submissions(name).items()
        }
        for student, notebook in (made | {"untouched": released(name)}).items():
            (folder / student).mkdir(exist_ok=True)
            nbformat.write(notebook, folder / student / f"{name}.ipynb")
            written[student, name] = submissions(name).get(student, {})
    out = tmp_path_factory.mktemp("graded")
    results = grade.grade_folder(folder, out)
    assert len(results) == len(written)
    return out, {
        key: (result, written[key])
        for result in results
        for key in [(result.submission.student, result.submission.assignment)]
    }


@each_assignment
def test_the_solution_earns_full_marks(name, graded):
    result, _ = graded[1]["solution", name]
    by_machine = [task for task in result.outcome.tasks if task.mark is not None]
    assert {task.task: task.mark for task in by_machine} == machine_tasks(name)
    assert result.outcome.notes == []


@each_assignment
def test_the_untouched_release_earns_nothing(name, graded):
    result, _ = graded[1]["untouched", name]
    assert result.outcome.total == 0
    for task in result.outcome.tasks:
        assert re.search("not done yet|to be graded by hand|no predictions yet", task.reason)


@each_assignment
@pytest.mark.parametrize("student", ["wrong", "mixed"])
def test_wrong_answers_are_caught_and_told_what_is_wrong(student, name, graded):
    result, wrong = graded[1][student, name]
    assert wrong
    marked = {task.task: task for task in result.outcome.tasks if task.mark is not None}
    assert set(marked) == set(machine_tasks(name))
    for task, answer in wrong.items():
        assert marked[task].mark == 0, answer.what
        assert answer.told in marked[task].reason
    for task in set(marked) - set(wrong):
        assert marked[task].mark == marked[task].possible, marked[task].reason


@each_assignment
def test_right_answers_in_unusual_forms_earn_all_marks(name, graded):
    result, _ = graded[1]["unusual", name]
    by_machine = [task for task in result.outcome.tasks if task.mark is not None]
    assert {task.task: task.mark for task in by_machine} == machine_tasks(name)


def test_tables_and_feedback_are_written(graded):
    out, results = graded
    with open(out / "marks.csv", newline="", encoding="utf-8") as file:
        marks = list(csv.DictReader(file))
    assert len(marks) == sum(len(r.outcome.tasks) for r, _ in results.values())
    with open(out / "totals.csv", newline="", encoding="utf-8") as file:
        totals = {
            (row["student"], row["assignment"]): float(row["by machine"])
            for row in csv.DictReader(file)
        }
    assert totals == {key: r.outcome.total for key, (r, _) in results.items()}
    for student, name in results:
        page = (out / "feedback" / student / f"{name}.html").read_text(encoding="utf-8")
        assert "HIDDEN TESTS" not in page
        assert "_right" not in page, "the feedback shows a test that is hidden"
        assert "circle" in page or name != FIRST
