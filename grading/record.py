"""What was graded, kept between runs: so one student is graded again, and a late one is added."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from grading.collected import Submission
from grading.marks import Outcome, Result
from sbd_utils.files import locked, read_text, write_text

FILE = "results.json"


class RecordError(ValueError):
    """What an earlier run kept cannot be read; the message says what to do."""


def read(out: Path) -> list[Result]:
    """What was graded before; the notebooks themselves are not kept.

    Args:
        out: The folder of the tables.

    Raises:
        RecordError: There is a record, and it is not one that `add` wrote.
    """
    path = out / FILE
    if not path.exists():
        return []
    try:
        entries = json.loads(read_text(path))
        if not isinstance(entries, list):
            raise ValueError(f"a list is wanted, not a {type(entries).__name__}")
        return [_from_json(dict(values)) for values in entries]
    except (ValueError, TypeError, KeyError) as error:
        advice = "move it away, and grade the whole class again"
        raise RecordError(f"{path} is not what the grader wrote ({error!r}): {advice}") from error


def add(
    out: Path, graded: Iterable[Result], handed_in: Iterable[Submission] | None = None
) -> list[Result]:
    """Put results into the record; those of before stay, but for what is graded anew.

    Args:
        out: The folder of the tables.
        graded: Replace what there was of the same file.
        handed_in: At the end of a run, all that it was to grade: files that are no longer handed in
            go, if they are of a student and an assignment that are among these.

    Returns:
        Everything that is in the record now, in the order of the tables.

    Raises:
        RecordError: As `read`.
        OSError: It cannot be written.
    """
    new = {result.order: result for result in graded}
    gone = {(one.student, one.assignment) for one in handed_in or []}
    with locked(out / FILE):
        kept = [one for one in read(out) if one.order not in new and one.order[:2] not in gone]
        results = sorted([*kept, *new.values()], key=lambda result: result.order)
        text = json.dumps([_to_json(result) for result in results], indent=1)
        write_text(out / FILE, text + "\n")
    return results


def _to_json(result: Result) -> dict[str, Any]:
    submission = asdict(result.submission)
    del submission["path"]
    within = result.submission.within.as_posix()
    outcome = replace(result.outcome, notebook="").to_json()
    return {
        **submission,
        "within": within,
        "outcome": outcome,
        "seconds": result.seconds,
        "was_run": result.was_run,
    }


def _from_json(values: dict[str, Any]) -> Result:
    outcome = Outcome.from_json(values.pop("outcome"))
    seconds, was_run = values.pop("seconds"), values.pop("was_run")
    values["within"], values["notes"] = Path(values["within"]), tuple(values["notes"])
    return Result(Submission(path=Path(), **values), outcome, seconds, was_run)


# Several notebooks of a student for an assignment


def that_count(results: Iterable[Result]) -> list[Result]:
    """For each student and assignment the notebook that counts.

    That is one that could be run; of several the one under the name that it was handed out with,
    then the one that lies highest in the student's folder, then the first by name.
    """
    first: dict[tuple[str, str], Result] = {}
    for result in sorted(results, key=_rank):
        if result.submission.assignment:
            first.setdefault(result.order[:2], result)
    return sorted(first.values(), key=lambda result: result.order)


def _rank(result: Result) -> tuple[bool, bool, int, str, str]:
    one = result.submission
    renamed = one.within.name != f"{one.assignment}.ipynb"
    return not result.was_run, renamed, len(one.within.parts), one.folder, one.file


def with_notes(results: list[Result]) -> list[Result]:
    """The results with a note where there are several for one student and assignment."""
    counting = {result.order[:2]: result for result in that_count(results)}
    rivals: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        rivals[result.order[:2]].append(result)
    noted = []
    for result in results:
        best, others = counting.get(result.order[:2]), rivals[result.order[:2]]
        if best is None or len(others) == 1:
            noted.append(result)
        elif result is best:
            names = ", ".join(other.submission.file for other in others if other is not best)
            noted.append(_noted(result, f"this notebook counts, and not {names}"))
        else:
            note = f"this notebook does not count: {best.submission.file} does"
            noted.append(_noted(result, note))
    return noted


def _noted(result: Result, note: str) -> Result:
    return replace(result, outcome=replace(result.outcome, notes=[note, *result.outcome.notes]))
