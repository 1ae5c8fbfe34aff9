"""Right answers earn all marks, wrong ones lose theirs and are told why.

All are graded by the function behind `make grade`, several in a submission.
"""

import csv
import re

import nbformat
import pytest

from grading import assignments, grade
from tests.grading import wrong_answers
from tests.grading.helpers import FIRST, NAMES, machine_tasks, released
from tests.grading.wrong_answers import WRONG

EVERY = [
    (name, task, answer)
    for name, tasks in WRONG.items()
    for task, answers in tasks.items()
    for answer in answers
]

each_assignment = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder with tables and feedback; (student, assignment) -> the result, and its wrong answers by task."""
    folder = tmp_path_factory.mktemp("answers")
    written = wrong_answers.write_all(folder)
    for student, make in [("solution", assignments.read_source), ("untouched", released)]:
        (folder / student).mkdir()
        for name in NAMES:
            nbformat.write(make(name), folder / student / f"{name}.ipynb")
            written[student, name] = {}
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


def test_enough_wrong_answers_are_tried():
    for name in NAMES:
        assert set(WRONG[name]) == set(machine_tasks(name))
    assert all(len(answers) >= 5 for tasks in WRONG.values() for answers in tasks.values())
    assert len(EVERY) >= 60


@pytest.mark.parametrize(
    ("name", "task", "answer"),
    EVERY,
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_a_wrong_answer_is_caught_and_told_what_is_wrong(name, task, answer, graded):
    found = [
        r
        for r, wrong in graded[1].values()
        if r.submission.assignment == name and wrong.get(task) == answer
    ]
    assert len(found) == 1
    marked = next(t for t in found[0].outcome.tasks if t.task == task)
    assert marked.mark < marked.possible
    assert answer[1] in marked.reason


def test_what_is_left_right_earns_full_marks(graded):
    seen = 0
    for result, wrong in graded[1].values():
        for task in result.outcome.tasks:
            if wrong and task.task not in wrong and task.mark is not None:
                assert task.mark == task.possible, (result.submission.student, task)
                seen += 1
    assert seen >= len(wrong_answers.submissions(FIRST))


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
