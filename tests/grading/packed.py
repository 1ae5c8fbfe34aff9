"""Has the grader's judge mark every answer to an assignment, all in one kernel.

In a submission each task has one answer; here a notebook holds each answer, followed by the task's
test, one after the other. What is tested is what only the grader does: that values, gradients and
changes in place cross from the student's process to the judge's.
"""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grading import assignments, processes, worker
from grading.assignments import is_answer, is_by_hand, is_test
from grading.marks import VERDICT
from grading.watch import TimeLimits, Watch
from tests.grading.answers import Answer

LIMITS = TimeLimits(seconds=3000, wall_seconds=7200)
"""Hundreds of answers; nothing here is to be stopped."""


def packed(name: str, answers: dict[str, list[Answer]]) -> NotebookNode:
    """A notebook with each answer and the test of its task, in turn, and last the solution.

    Args:
        name: Of the assignment.
        answers: By task.
    """
    source = assignments.read_source(name)
    tests = {assignments.task_name(cell): cell for cell in source.cells if is_test(cell)}
    cells = []
    for cell in source.cells:
        for number, answer in enumerate(answers.get(cell.id, []) if is_answer(cell) else []):
            answered = _copy(cell, number, answer.what)
            # so that it does not find what the answer before it has defined
            answered.source = f"globals().pop({cell.id!r}, None)\n{answer.code}"
            cells += [answered, _copy(tests[cell.id], number, answer.what)]
        cells.append(cell)
    source.cells = cells
    return source


def _copy(cell: NotebookNode, number: int, what: str) -> NotebookNode:
    copied = nbformat.from_dict(cell)
    copied.id = f"{cell.id}-{number}"
    copied.metadata["answer"] = what
    return copied


def judged(name: str, answers: dict[str, list[Answer]], folder: Path) -> dict[tuple[str, str], str]:
    """What the judge says to each answer: by task, and by what is unusual in it; empty if right."""
    sources = [assignments.read_source(name), packed(name, answers)]
    job = [nbformat.writes(notebook) for notebook in sources]
    limits = processes.Limits(LIMITS.wall_seconds, LIMITS.seconds)
    said = processes.run_job(judge_all, job, folder, limits)
    return {(task, what): verdict for task, what, verdict in said}


def judge_all(job: list[str]) -> list[list[str]]:
    """In a process of its own: task, what the answer is, and what the judge says to it."""
    source, notebook = (nbformat.reads(text, as_version=4) for text in job)
    launch = worker.prepare(Path.cwd(), worker.Job(*job, path="", limits=LIMITS))
    stopped = worker.run_through(source, notebook, Watch(LIMITS), launch)
    if stopped:
        raise RuntimeError(f"stopped: {stopped}")
    tests = [cell for cell in notebook.cells if is_test(cell) and not is_by_hand(cell)]
    return [
        [assignments.task_name(cell), cell.metadata.get("answer", ""), cell.metadata[VERDICT]]
        for cell in tests
    ]
