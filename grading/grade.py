"""Grade a folder of submissions.

    python -m grading grade SUBMITTED [--out graded] [--for moodle | canvas]

SUBMITTED holds a folder for each student, and in it the notebooks under the names they were handed
out with; or what Moodle or Canvas downloaded, unpacked; or it is the folder of one student. Written
are marks.csv (a line per task), totals.csv (a line per notebook), a feedback page for every
notebook, and hand_marks.csv, to be filled in by hand: `python -m grading totals` reads it. What
--out holds of other students, and what was written into hand_marks.csv, stays.

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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat

from grading import hand_marks, record, totals
from grading.assignments import Assignment, names
from grading.collected import ARCHIVE, Submission, find
from grading.exports import SYSTEMS
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
from grading.record import RecordError
from grading.release import read_assignment
from grading.sandbox import Sandbox, find_sandbox
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
    refused = _refusal(options.submitted, options.out)
    if refused:
        _parser().error(refused)
    limits = TimeLimits(options.cell_seconds, options.seconds)
    try:
        results = grade_folder(options.submitted, options.out, options.jobs, limits, options.system)
    except KeyboardInterrupt:
        say(f"stopped; {options.out} holds what was graded before")
        return 130
    except (RecordError, OSError) as error:
        say(str(error))
        return 1
    return 0 if results else 1


def _refusal(submitted: Path, out: Path) -> str:
    """Why nothing can be graded, as a sentence; empty if something can."""
    wanted = "give one that holds a folder for each student"
    if not submitted.exists():
        return f"{submitted} is not a folder, there is no such thing; {wanted}"
    if ARCHIVE.fullmatch(submitted.name) and not submitted.is_dir():
        return f"{submitted} is not a folder: unpack the archive, and {wanted}"
    if not submitted.is_dir():
        return f"{submitted} is not a folder; {wanted}"
    if submitted.resolve() == out.resolve():
        return f"--out {out} is the folder of the submissions: choose another one"
    if out.exists() and not out.is_dir():
        return f"--out {out} is a file: choose a folder"
    return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grading grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submitted", type=Path)
    parser.add_argument("--out", type=Path, default=Path("graded"))
    parser.add_argument("--for", dest="system", choices=SYSTEMS, help="write totals for it, too")
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
    submitted: Path,
    out: Path,
    jobs: int = 2,
    limits: TimeLimits | None = None,
    system: str | None = None,
) -> list[Result]:
    """Grade every submission. Tables are written after each, and its page after them.

    Args:
        submitted: Holds a folder for each student, or is one: see `collected.find`.
        out: Gets the tables and the pages; what it holds of other students stays.
        jobs: How many submissions to run at a time.
        limits: The default ones, where it is None.
        system: Of `exports.SYSTEMS`, where totals are to be written for one.

    Returns:
        What became of each, by student, assignment and file; of a student who handed in nothing,
        that.

    Raises:
        OSError: The tables cannot be written, or `submitted` cannot be read.
        RecordError: What `out` holds of an earlier run cannot be read.
        KeyboardInterrupt: Ctrl-C; what was graded until then is written.
    """
    keep_to_itself()
    warm_up(*IN_EVERY_PROCESS)
    place = find_sandbox([submitted, out])
    for sentence in filter(None, [missing_limits(), place.missing]):
        say(sentence)
    collected = find(submitted, leave_out=out)
    for note in collected.notes:
        say(note)
    totals.write(out, record.add(out, []))
    try:
        results = _grade_all(collected.submissions, jobs, limits or TimeLimits(), place, out)
        record.add(out, results, collected.submissions)
    finally:
        totals.finish(out, system, say)
    if not results:
        say(f"{submitted} holds no folder of a student and no notebook: nothing was graded")
        return []
    wrote = [str(out / name) for name in ("marks.csv", "totals.csv", hand_marks.FILE)]
    say(f"wrote {', '.join(wrote)} and pages in {out / 'feedback'}")
    return sorted(results, key=lambda result: result.order)


def _grade_all(
    todo: list[Submission], jobs: int, limits: TimeLimits, place: Sandbox, out: Path
) -> list[Result]:
    """Grade several at a time; each is in the tables before its page is made."""
    needed = {one.assignment for one in todo}
    assignments = {name: read_assignment(name) for name in names() if name in needed}
    stop = threading.Event()
    results: list[Result] = []
    with ThreadPoolExecutor(jobs) as pool, _stopping(stop, pool):
        futures = [
            pool.submit(grade, one, assignments.get(one.assignment), limits, place, stop)
            for one in todo
        ]
        for future in as_completed(futures):
            result = future.result()
            results.append(result)
            totals.write(out, record.add(out, results))
            _write_page_or_note(result, out, stop)
            say(f"[{len(results)}/{len(todo)}] {summary(result)}")
    return results


@contextlib.contextmanager
def _stopping(stop: threading.Event, pool: ThreadPoolExecutor) -> Iterator[None]:
    """If the block is left by an exception, Ctrl-C included, what still runs is ended."""
    try:
        yield
    except BaseException:
        stop.set()
        pool.shutdown(cancel_futures=True)
        raise


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
        outcome = Outcome(notes=_why_not_graded(submission))
    else:
        try:
            outcome = _run(submission, assignment, limits, place, stop)
        except (JobError, OSError) as error:  # the disk is full, for instance
            reason = f"not graded: {error}"
            outcome = Outcome(no_marks(assignment.source, reason), [reason])
    outcome.notes[:0] = submission.notes
    seconds = time.perf_counter() - start
    return Result(submission, outcome, seconds, was_run=bool(outcome.notebook))


def _why_not_graded(submission: Submission) -> list[str]:
    if not submission.is_notebook:  # its notes say so
        return []
    name = f"{submission.file} is not the name of an assignment ({', '.join(names())})"
    return [f"not graded: {name}, and its cells are of none"]


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
    if not result.submission.is_notebook:
        return
    try:
        write_page(result, out / "feedback", stop)
    except (OSError, UnicodeError, ValueError) as error:
        result.outcome.notes.append(f"there is no page: {type(error).__name__}: {error}")


def summary(result: Result) -> str:
    """A result in one line."""
    outcome = result.outcome
    if not outcome.tasks:
        return f"{result.title}: {'; '.join(outcome.notes)}"
    marks = f"{outcome.total:g} of {outcome.possible:g}, {result.seconds:.0f} s"
    return "; ".join([f"{result.title}: {marks}", *outcome.notes])


def say(text: str) -> None:
    """Print a line, whatever the encoding of the terminal, and whether or not anybody reads it."""
    encoding = sys.stdout.encoding or "utf-8"
    with contextlib.suppress(OSError):  # the files are what is wanted
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


if __name__ == "__main__":
    sys.exit(main())
