"""Marks by hand: a table with a line for each row of a rubric, for a teacher to fill in.

The grader makes hand_marks.csv with empty marks and adds lines for those who hand in later. What is
written there it never changes. It reads what a spreadsheet makes of the file: with semicolons, with
columns in another order, and with `3,5` for 3.5.
"""

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grading.marks import Result, TaskMark
from grading.record import that_count
from grading.tables import as_written, safe
from sbd_utils.files import locked, write_atomically

FILE = "hand_marks.csv"
COLUMNS = ["student", "task", "rubric row", "mark", "comment"]
NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?")

Row = tuple[str, str, str]
"""A student, a task, and a row of its rubric."""


@dataclass(frozen=True)
class HandMark:
    """What a teacher wrote into a line."""

    mark: float | None
    comment: str


@dataclass
class HandMarks:
    """What the file holds."""

    given: dict[Row, HandMark] = field(default_factory=dict)
    lines: dict[Row, int] = field(default_factory=dict)
    """In which line of the file each row stands, filled in or not."""
    problems: list[str] = field(default_factory=list)
    """A sentence for every entry that does not count, with its line and column."""
    header: list[str] = field(default_factory=lambda: list(COLUMNS))
    separator: str = ","
    readable: bool = True
    """Whether lines can be added."""


def wanted(results: Iterable[Result]) -> dict[Row, float]:
    """The rows that a teacher has to mark, and the most marks for each.

    Args:
        results: From the record.
    """
    rows = {}
    for result in that_count(results):
        for task in result.outcome.by_hand:
            if task.mark is None:
                rows[result.submission.student, task.task, task.row] = task.possible
    return rows


def read(out: Path, rows: dict[Row, float]) -> HandMarks:
    """Read what a teacher has written.

    Args:
        out: The folder of the tables.
        rows: From `wanted`.

    Returns:
        The marks and comments, and sentences about entries that do not count; nothing where there
        is no file.
    """
    found = HandMarks()
    try:
        content = (out / FILE).read_bytes()
    except FileNotFoundError:
        return found
    except OSError as error:  # a spreadsheet may hold it
        _refuse_all(found, 1, f"cannot be read ({error.strerror}): is it open elsewhere?")
        return found
    if not content:
        return found
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse_all(found, line, "is not in UTF-8: save the table as 'CSV UTF-8'")
        return found
    if not _take_header(found, text):
        return found
    _take_lines(found, text, rows)
    return found


def _refuse_all(found: HandMarks, line: int, problem: str) -> None:
    found.readable = False
    found.problems.append(f"{FILE}, line {line}: {problem}; no mark by hand was read")


def _take_header(found: HandMarks, text: str) -> bool:
    """Find the separator and the columns; whether they are there."""
    first = text.partition("\n")[0].strip("\r")
    headers = {separator: _cells(first, separator) for separator in ",;\t"}
    for separator, header in headers.items():
        if set(COLUMNS) <= set(header):
            found.separator, found.header = separator, header
            return True
    nearest = max(headers.values(), key=lambda header: len(set(COLUMNS) & set(header)))
    missing = " and ".join(repr(name) for name in COLUMNS if name not in nearest)
    _refuse_all(found, 1, f"there is no column {missing}; the columns are {', '.join(COLUMNS)}")
    return False


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().lower() for cell in next(csv.reader([line], delimiter=separator), [])]


def _take_lines(found: HandMarks, text: str, rows: dict[Row, float]) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found.separator)
    begin = 1
    try:
        for cells in reader:
            if begin > 1:
                _take_line(found, begin, cells, rows)
            begin = reader.line_num + 1  # a comment may have several lines
    except csv.Error as error:
        _refuse_all(found, begin, f"cannot be read ({error})")


def _take_line(found: HandMarks, line: int, cells: list[str], rows: dict[Row, float]) -> None:
    width = len(found.header)
    values = dict(zip(found.header, [*cells, *[""] * width], strict=False))
    mark, comment = values["mark"].strip(), values["comment"].strip()
    row = _row(values)
    if row in rows:
        earlier = found.lines.setdefault(row, line)
    if len(cells) > width:
        advice = f"put a text or number with {found.separator!r} in it into quotation marks"
        problem = f"{len(cells)} cells where there are {width} columns: {advice}"
        found.problems.append(f"{FILE}, line {line}, column {found.header[-1]}: {problem}")
        return
    if not mark and not comment:
        return
    column, problem = _problem(row, mark, rows)
    if not problem and earlier != line and row in found.given:
        column, problem = "rubric row", f"it has a mark already in line {earlier}"
    if problem:
        found.problems.append(f"{FILE}, line {line}, column {column}: {problem}")
        return
    found.lines[row] = line
    found.given[row] = HandMark(float(mark.replace(",", ".")) if mark else None, comment)


def _row(values: dict[str, str]) -> Row:
    student, task, row = (_plain(values[column]) for column in COLUMNS[:3])
    return student, task, row


def _plain(cell: str) -> str:
    """A name as the grader writes it, whatever a spreadsheet did to it."""
    return as_written(unicodedata.normalize("NFC", " ".join(cell.split())))


def _problem(row: Row, mark: str, rows: dict[Row, float]) -> tuple[str, str]:
    """In which column a line is wrong, and why; two empty texts if it is not."""
    student, task, name = row
    known = list(rows)
    if student not in {one[0] for one in known}:
        return "student", f"nobody is called {student!r}{_nearest(student, known, 0)}"
    own = [one for one in known if one[0] == student]
    if task not in {one[1] for one in own}:
        return "task", f"{student} has no task {task!r}{_nearest(task, own, 1)}"
    own = [one for one in own if one[1] == task]
    if row not in own:
        return "rubric row", f"task {task!r} has no row {name!r}{_nearest(name, own, 2)}"
    if mark and not NUMBER.fullmatch(mark):
        return "mark", f"{mark!r} is not a number of at least 0"
    if mark and float(mark.replace(",", ".")) > rows[row]:
        return "mark", f"{mark} is more than {rows[row]:g}, the most for {name!r}"
    return "", ""


def _nearest(name: str, rows: list[Row], place: int) -> str:
    names = sorted({row[place] for row in rows})
    near = difflib.get_close_matches(name, names, 1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there is {', '.join(names)}" if names and place else ""


def add_rows(out: Path, rows: dict[Row, float]) -> None:
    """Write the file, or put lines at its end for rows that it lacks; what is there stays as it is.

    Args:
        out: The folder of the tables.
        rows: From `wanted`.

    Raises:
        OSError: It cannot be written.
    """
    path = out / FILE
    with locked(path):
        found = read(out, rows)
        missing = [row for row in rows if row not in found.lines]
        if not found.readable or not missing:
            return
        before = path.read_bytes() if path.exists() else b""
        end = "\n" if b"\n" in before and b"\r\n" not in before else "\r\n"
        lines = [_line(found.header, row) for row in missing]
        if not before:
            lines.insert(0, found.header)
        text = _as_csv(lines, found.separator, end)
        if before and not before.endswith(b"\n"):
            text = end + text
        write_atomically(path, before + text.encode())


def _line(header: Sequence[str], row: Row) -> list[str]:
    cells = dict(zip(COLUMNS, row, strict=False))
    return [safe(cells.get(column, "")) for column in header]


def _as_csv(lines: list[list[str]], separator: str, end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows(lines)
    return text.getvalue()


def applied(results: list[Result], marks: HandMarks) -> list[Result]:
    """The results with the marks by hand in them.

    Args:
        results: From the record.
        marks: From `read`.
    """
    counting = {result.order for result in that_count(results)}
    return [_with(result, marks) if result.order in counting else result for result in results]


def _with(result: Result, marks: HandMarks) -> Result:
    student = result.submission.student
    tasks = [
        _given(task, marks.given.get((student, task.task, task.row)))
        for task in result.outcome.tasks
    ]
    return replace(result, outcome=replace(result.outcome, tasks=tasks))


def _given(task: TaskMark, mark: HandMark | None) -> TaskMark:
    if mark is None or not task.is_by_hand or task.mark is not None:
        return task
    reason = task.reason if mark.mark is None and not mark.comment else mark.comment
    return replace(task, mark=mark.mark, reason=reason)
