"""Grade a folder of submissions.

    python -m grading grade SUBMITTED [--out graded]

SUBMITTED holds a folder for each student, and in it the notebooks under the names they were handed
out with. Written are marks.csv (a line per task), totals.csv (a line per notebook), and a feedback
page for every notebook.

The notebook that is run is the course's own, with the student's answers and own cells put in: to
change or delete a test has no effect. Each submission runs in a kernel of its own, in a sandbox
where there is one, with limits on processor time, output and memory; a cell that does not end is
taken out and the rest is run again without it. Tests run in another process, which calls the
student's functions in that one and compares what it gets: see notebooks/assignments/README.md.
"""

import argparse
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat

from grading.assignments import Assignment, names
from grading.marks import Outcome, Result, no_marks
from grading.pages import write_page
from grading.processes import (
    JobError,
    Limits,
    StoppedError,
    keep_to_itself,
    missing_limits,
    run_job,
    warm_up,
)
from grading.release import read_assignment
from grading.sandbox import Sandbox, find_sandbox
from grading.submissions import Submission, find
from grading.tables import write_tables
from grading.watch import TimeLimits
from grading.worker import Job, work

IN_EVERY_PROCESS = [
    "torch",
    "sympy",  # torch imports it at the first gradient
    "matplotlib.pyplot",
    "nbconvert.exporters.html",
    "sbd_utils.checks",
    "grading.judge",
    "grading.worker",
    "grading.pages",
]
"""Imported once for all processes that grade, and that make pages."""
GRACE_SECONDS = 120
"""For a process to end by itself once its time is over."""


def main(arguments: list[str] | None = None) -> int:
    """Grade what the arguments say; returns the exit status."""
    options = _parser().parse_args(arguments)
    if not options.submitted.is_dir():
        wanted = "give one that holds a folder for each student"
        _parser().error(f"{options.submitted} is not a folder; {wanted}")
    limits = TimeLimits(options.cell_seconds, options.seconds)
    try:
        grade_folder(options.submitted, options.out, options.jobs, limits)
    except KeyboardInterrupt:
        say(f"stopped; {options.out} holds what was graded before")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submitted", type=Path)
    parser.add_argument("--out", type=Path, default=Path("graded"))
    parser.add_argument("--jobs", type=_positive, default=2, help="submissions at a time")
    parser.add_argument(
        "--cell-seconds",
        type=float,
        default=TimeLimits.cell_seconds,
        help="most processor time for a cell of a student's (%(default)g)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=TimeLimits.seconds,
        help="most processor time for a submission (%(default)g)",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def grade_folder(
    submitted: Path, out: Path, jobs: int = 2, limits: TimeLimits | None = None
) -> list[Result]:
    """Grade every submission. Tables are written after each, and its page after them.

    Args:
        submitted: Holds a folder for each student.
        out: Gets the tables and the pages.
        jobs: How many submissions to run at a time.
        limits: The default ones, where it is None.

    Returns:
        What became of each, by student, assignment and file.

    Raises:
        OSError: The tables cannot be written.
        KeyboardInterrupt: Ctrl-C; what was graded until then is written.
    """
    keep_to_itself()
    warm_up(*IN_EVERY_PROCESS)
    place = find_sandbox([submitted, out])
    for sentence in filter(None, [missing_limits(), place.missing]):
        say(sentence)
    limits = limits or TimeLimits()
    todo = find(submitted)
    assignments = {name: read_assignment(name) for name in names()}
    results: list[Result] = []
    write_tables(results, out)
    stop = threading.Event()
    with ThreadPoolExecutor(jobs) as pool, _stopping(stop, pool):
        futures = [
            pool.submit(grade, one, assignments.get(one.assignment), limits, place, stop)
            for one in todo
        ]
        for result in _as_they_come(futures):
            results.append(result)
            write_tables(results, out)
            _write_page_or_note(result, out, stop)
            say(f"[{len(results)}/{len(todo)}] {summary(result)}")
    write_tables(results, out)  # with the notes about pages
    pages = out / "feedback"
    say(f"wrote {out / 'marks.csv'}, {out / 'totals.csv'} and {len(results)} pages in {pages}")
    return sorted(results, key=lambda result: result.order)


@contextlib.contextmanager
def _stopping(stop: threading.Event, pool: ThreadPoolExecutor) -> Iterator[None]:
    """If the block is left by an exception, Ctrl-C included, what still runs is ended."""
    try:
        yield
    except BaseException:
        stop.set()
        pool.shutdown(cancel_futures=True)
        raise


def _as_they_come(futures: Iterable["Future[Result]"]) -> Iterator[Result]:
    for future in as_completed(futures):
        yield future.result()


def grade(
    submission: Submission,
    assignment: Assignment | None,
    limits: TimeLimits,
    place: Sandbox,
    stop: threading.Event | None = None,
) -> Result:
    """Grade one file, in a process of its own; never raises for what a student wrote.

    Args:
        submission: The file.
        assignment: None where its name tells none.
        limits: What it may take.
        place: Where its code runs.
        stop: Ends it once it is set.

    Raises:
        StoppedError: `stop` was set.
    """
    start = time.perf_counter()
    if assignment is None:
        known = ", ".join(names())
        name = f"{submission.file} is not the name of an assignment ({known})"
        outcome = Outcome(notes=[f"not graded: {name}"])
    else:
        try:
            outcome = _run(submission, assignment, limits, place, stop)
        except (JobError, OSError) as error:  # the disk is full, for instance
            reason = f"not graded: {error}"
            outcome = Outcome(no_marks(assignment.source, reason), [reason])
    return Result(submission, outcome, time.perf_counter() - start)


def _run(
    submission: Submission,
    assignment: Assignment,
    limits: TimeLimits,
    place: Sandbox,
    stop: threading.Event | None,
) -> Outcome:
    if stop is not None and stop.is_set():
        raise StoppedError
    job = Job(
        source=nbformat.writes(assignment.source),
        released=nbformat.writes(assignment.released),
        path=str(submission.path.resolve()),
        limits=limits,
        sandbox=place.kind,
        hidden=place.hidden,
    )
    seconds = Limits(limits.wall_seconds + GRACE_SECONDS)
    with tempfile.TemporaryDirectory(prefix="graded-", ignore_cleanup_errors=True) as temporary:
        answer = run_job(work, job.to_json(), Path(temporary).resolve(), seconds, stop)
    return Outcome.from_json(answer)


def _write_page_or_note(result: Result, out: Path, stop: threading.Event) -> None:
    try:
        write_page(result, out / "feedback", stop)
    except (OSError, UnicodeError, ValueError) as error:
        result.outcome.notes.append(f"there is no page: {type(error).__name__}: {error}")


def summary(result: Result) -> str:
    """A result in one line."""
    outcome = result.outcome
    marks = f"{outcome.total:g} of {outcome.possible:g}, {result.seconds:.0f} s"
    return "; ".join([f"{result.title}: {marks}", *outcome.notes])


def say(text: str) -> None:
    """Print a line, whatever the encoding of the terminal, and whether or not anybody reads it."""
    encoding = sys.stdout.encoding or "utf-8"
    with contextlib.suppress(OSError):  # the files are what is wanted
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main())
