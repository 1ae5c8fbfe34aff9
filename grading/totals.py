"""Put marks by hand into the tables and pages of what was graded; nothing is run.

    python -m grading totals [--out graded] [--for moodle | canvas]

Reads hand_marks.csv, and writes marks.csv, totals.csv and the heads of the feedback pages anew.
With --for, the totals are written in a form that Moodle or Canvas imports, too.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grading import hand_marks, record
from grading.exports import SYSTEMS, write_for
from grading.marks import Result
from grading.pages import update_page
from grading.tables import write_tables


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit status, 1 if an entry does not count."""
    parser = argparse.ArgumentParser(
        prog="python -m grading totals",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=Path("graded"))
    parser.add_argument("--for", dest="system", choices=SYSTEMS)
    options = parser.parse_args(arguments)
    try:
        if not record.read(options.out):
            parser.error(f"{options.out} holds nothing that was graded; grade first, or say --out")
        problems = finish(options.out, options.system, print)
    except (record.RecordError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if problems else 0


def write(out: Path, results: list[Result]) -> tuple[list[Result], list[str]]:
    """Write the tables, with the marks by hand that there are.

    Args:
        out: The folder of the tables.
        results: From the record.

    Returns:
        The results with the marks by hand and with notes about notebooks that do not count, and a
        sentence for each entry by hand that does not count.

    Raises:
        OSError: A table cannot be written.
    """
    marks = hand_marks.read(out, hand_marks.wanted(results))
    final = record.with_notes(hand_marks.applied(results, marks))
    write_tables(final, out)
    return final, marks.problems


def finish(out: Path, system: str | None, say: Callable[[str], None]) -> list[str]:
    """Write all that stands on a table: lines to fill in, the tables, the pages, and the export.

    Args:
        out: The folder of the tables.
        system: One of `SYSTEMS`, or None.
        say: Gets what was written and what is wrong, a line each.

    Returns:
        A sentence for each entry by hand that does not count.

    Raises:
        RecordError: What was graded cannot be read.
        OSError: A file cannot be written.
    """
    results = record.read(out)
    final, problems = write(out, results)
    told = [*problems, *(write_for(system, final, out) if system else [])]
    for result in final:
        told += _told(update_page, result, out / "feedback")
    told += _told(hand_marks.add_rows, out, hand_marks.wanted(results))
    for line in told:
        say(line)
    return problems


def _told(work: Callable[..., None], *arguments: Any) -> list[str]:
    """Do something that nothing else waits for; why it could not be done, if it could not."""
    try:
        work(*arguments)
    except (OSError, UnicodeError) as error:
        return [str(error)]
    return []
