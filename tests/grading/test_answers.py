"""The solutions earn full marks, the untouched releases none, wrong answers lose theirs and are told why.

A few are graded by the function behind `make grade`. All answers of answers_N.py are marked by its judge, in one kernel for
each assignment; tests/checks/test_answers.py has them without a kernel.
"""

import csv
import re

import nbformat
import pytest

from grading import grade
from tests.grading import packed, wrong_answers
from tests.grading.answers import Answer
from tests.grading.helpers import FIRST, NAMES, machine_tasks, released

each_assignment = pytest.mark.parametrize("name", NAMES)


def mixed(name: str) -> dict[str, Answer]:
    """A wrong answer to every other task of an assignment."""
    tasks = wrong_answers.MODULES[int(name[0])].WRONG
    return {task: tasks[task][0] for task in list(tasks)[::2]}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder with tables and feedback; (student, assignment) -> the result, and its answers by task."""
    folder = tmp_path_factory.mktemp("answers")
    written = {}
    for name in NAMES:
        codes = {task: answer.code for task, answer in mixed(name).items()}
        made = {
            "solution": wrong_answers.notebook_with(name, {}),
            "mixed": wrong_answers.notebook_with(name, codes),
            "untouched": released(name),
        }
        for student, notebook in made.items():
            (folder / student).mkdir(exist_ok=True)
            nbformat.write(notebook, folder / student / f"{name}.ipynb")
            written[student, name] = mixed(name) if student == "mixed" else {}
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
def test_wrong_answers_are_caught_and_told_what_is_wrong(name, graded):
    result, wrong = graded[1]["mixed", name]
    assert wrong
    marked = {task.task: task for task in result.outcome.tasks if task.mark is not None}
    assert set(marked) == set(machine_tasks(name))
    for task, answer in wrong.items():
        assert marked[task].mark == 0, answer.what
        assert answer.told in marked[task].reason
    for task in set(marked) - set(wrong):
        assert marked[task].mark == marked[task].possible, marked[task].reason


@pytest.fixture(scope="module", params=NAMES)
def judged(request, tmp_path_factory):
    """The number of an assignment, and what the grader's judge says to every answer to it."""
    number = int(request.param[0])
    module = wrong_answers.MODULES[number]
    answers = {task: [*module.RIGHT[task], *module.WRONG[task]] for task in module.RIGHT}
    return number, packed.judged(request.param, answers, tmp_path_factory.mktemp("judged"))


def test_the_judge_finds_every_right_answer_right_and_tells_every_wrong_one(judged):
    number, said = judged
    there = [e for e in [*wrong_answers.RIGHT, *wrong_answers.WRONG] if e.number == number]
    solutions = [task for task, what in said if not what]
    assert len(said) == len(there) + len(solutions)
    assert [said[task, ""] for task in solutions] == [""] * len(machine_tasks(NAMES[number - 1]))
    surprises = []
    for _, task, answer in there:
        verdict = said[task, answer.what]
        if bool(verdict) != bool(answer.told) or answer.told not in verdict:
            surprises.append((task, answer.what, answer.told, verdict))
    assert surprises == []


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
