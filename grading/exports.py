"""Totals as Moodle and Canvas import them.

Moodle takes a grading worksheet for each assignment: its importgradeslib.php (assign/feedback/
offline) looks for the columns *Identifier*, *Grade* and *Last modified (grade)*. Canvas takes one
table for its gradebook: in its gradebook_importer.rb, *Student* and *ID* come first, then what else
it knows a student by, *Section*, and the assignments.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from grading.assignments import points
from grading.marks import Result
from grading.record import that_count
from grading.tables import Cell, table
from sbd_utils.files import write_text

SYSTEMS = ("moodle", "canvas")
MOODLE = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"]
CANVAS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def write_for(system: str, results: Iterable[Result], out: Path) -> list[str]:
    """Write the totals of a class for a system.

    Who still lacks a mark by hand has an empty grade: an import leaves what is there.

    Args:
        system: One of `SYSTEMS`.
        results: With the marks by hand.
        out: The folder.

    Returns:
        What was written and what to look at, a sentence each.

    Raises:
        OSError: A table cannot be written.
    """
    counting = that_count(results)
    told = _for_moodle(counting, out) if system == "moodle" else _for_canvas(counting, out)
    missing = [one for one in counting if _total(one) == ""]
    if missing:
        told.append(f"{len(missing)} without a grade: a mark by hand is missing")
    return told


def _for_moodle(results: list[Result], out: Path) -> list[str]:
    by_assignment: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_assignment[result.submission.assignment].append(result)
    told = []
    for assignment, of_it in by_assignment.items():
        known = [result for result in of_it if result.submission.number]
        rows = [_moodle_row(result) for result in known]
        path = write_text(out / f"moodle_{assignment}.csv", table(MOODLE, rows))
        told.append(f"wrote {path}")
        unknown = [result.submission.student for result in of_it if not result.submission.number]
        if unknown:
            reason = "Moodle's number is not in the names of their folders"
            told.append(f"{path.name} is without {', '.join(unknown)}: {reason}")
    return told


def _moodle_row(result: Result) -> list[Cell]:
    number = result.submission.number
    most = sum(points(result.submission.assignment))
    return [f"Participant {number}", _name(result), _total(result), f"{most:g}", ""]


def _for_canvas(results: list[Result], out: Path) -> list[str]:
    assignments = sorted({result.submission.assignment for result in results})
    by_student: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in results:
        by_student[result.submission.student][result.submission.assignment] = result
    most = [f"{sum(points(name)):g}" for name in assignments]
    rows: list[list[Cell]] = [["    Points Possible", "", "", "", "", *most]]
    for of_student in by_student.values():
        one = next(iter(of_student.values()))
        marks = [_total(of_student[name]) if name in of_student else "" for name in assignments]
        rows.append([_name(one), one.submission.number, "", "", "", *marks])
    path = write_text(out / "canvas.csv", table([*CANVAS, *assignments], rows))
    told = [f"wrote {path}"]
    unknown = [one[0] for one in rows[1:] if not one[1]]
    if unknown:
        told.append(f"{path.name}: Canvas knows {', '.join(map(str, unknown))} by name alone")
    return told


def _name(result: Result) -> str:
    one = result.submission
    return one.student.removesuffix(f" ({one.number})") if one.number else one.student


def _total(result: Result) -> str:
    """All marks; empty as long as one is missing."""
    by_hand = result.outcome.total_by_hand
    return "" if by_hand is None else f"{result.outcome.total + by_hand:g}"
