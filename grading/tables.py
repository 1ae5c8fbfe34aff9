"""The marks of a class as files: marks.csv and totals.csv."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from grading.marks import Result
from sbd_utils.files import write_text

MARKS = ["student", "assignment", "file", "task", "mark", "possible", "reason"]
TOTALS = ["student", "assignment", "file", "by machine", "of", "by hand, of", "notes"]

Cell = str | float | None


def write_tables(results: Iterable[Result], out: Path) -> None:
    """Write marks.csv, a line per task, and totals.csv, a line per file; each whole or not at all.

    Args:
        results: In any order.
        out: The folder.

    Raises:
        OSError: A table cannot be written.
    """
    ordered = sorted(results, key=lambda result: result.order)
    marks = [row for result in ordered for row in _marks_of(result)]
    write_text(out / "marks.csv", table(MARKS, marks))
    write_text(out / "totals.csv", table(TOTALS, [_totals_of(result) for result in ordered]))


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
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _marks_of(result: Result) -> list[list[Cell]]:
    one = result.submission
    return [
        [one.student, one.assignment, one.file, task.task, task.mark, task.possible, task.reason]
        for task in result.outcome.tasks
    ]


def _totals_of(result: Result) -> list[Cell]:
    one, outcome = result.submission, result.outcome
    whose: list[Cell] = [one.student, one.assignment, one.file]
    marks: list[Cell] = [outcome.total, outcome.possible, outcome.left_to_the_teacher]
    return [*whose, *marks, "; ".join(outcome.notes)]
