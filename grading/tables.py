"""The marks of a class as files: marks.csv and totals.csv."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from grading.assignments import points
from grading.marks import Result
from grading.record import that_count
from sbd_utils.files import write_text

MARKS = ["student", "assignment", "file", "task", "rubric row", "mark", "possible", "reason"]
TOTALS = [
    *["student", "assignment", "file", "counts"],
    *["by machine", "of", "by hand", "by hand, of", "total", "total, of", "notes"],
]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these, a text begins that a spreadsheet takes for a formula."""

Cell = str | float | None


def write_tables(results: Iterable[Result], out: Path) -> None:
    """Write marks.csv, a line per task, and totals.csv, a line per file; each whole or not at all.

    Every student has a line in totals.csv for every assignment that anybody handed in.

    Args:
        results: In any order.
        out: The folder.

    Raises:
        OSError: A table cannot be written.
    """
    ordered = sorted(results, key=lambda result: result.order)
    marks = [row for result in ordered for row in _marks_of(result)]
    write_text(out / "marks.csv", table(MARKS, marks))
    write_text(out / "totals.csv", table(TOTALS, _totals(ordered)))


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table as CSV; no spreadsheet takes a text in it for a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def as_written(text: str) -> str:
    """Undo `safe`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _marks_of(result: Result) -> list[list[Cell]]:
    one = result.submission
    whose: list[Cell] = [one.student, one.assignment, one.file]
    return [
        [*whose, task.task, task.row, task.mark, task.possible, task.reason]
        for task in result.outcome.tasks
    ]


def _totals(results: list[Result]) -> list[list[Cell]]:
    counting = {result.order for result in that_count(results)}
    known = sorted({result.submission.assignment for result in results} - {""})
    by_student: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_student[result.submission.student].append(result)
    rows = []
    for student, own in by_student.items():
        shown = [one for one in own if one.submission.is_notebook or not known]
        rows += [_totals_of(one, one.order in counting) for one in shown]
        missing = set(known) - {one.submission.assignment for one in own}
        rows += [_nothing(student, name, own) for name in missing]
    return sorted(rows, key=lambda row: [str(cell) for cell in row[:3]])


def _totals_of(result: Result, counts: bool) -> list[Cell]:
    one, outcome = result.submission, result.outcome
    by_hand = outcome.total_by_hand
    total = None if by_hand is None else outcome.total + by_hand
    answer = ("yes" if counts else "no") if one.assignment else ""
    whose: list[Cell] = [one.student, one.assignment, one.file, answer]
    machine: list[Cell] = [outcome.total, outcome.possible]
    hand: list[Cell] = [by_hand, outcome.possible_by_hand]
    both: list[Cell] = [total, outcome.possible + outcome.possible_by_hand]
    return [*whose, *machine, *hand, *both, "; ".join(outcome.notes)]


def _nothing(student: str, assignment: str, own: list[Result]) -> list[Cell]:
    """The line of an assignment that a student has not handed in, with what there was instead."""
    found = [note for one in own if not one.submission.assignment for note in one.outcome.notes]
    notes = "; ".join(found) or "nothing handed in"
    machine, hand = points(assignment)
    return [student, assignment, "", "", 0.0, machine, 0.0, hand, 0.0, machine + hand, notes]
