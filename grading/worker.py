"""The process that runs one submission, in a kernel, and gives it marks.

A cell that does not end, or ends the kernel, is taken out, and the rest is run again without it, so
that it costs its own task alone.
"""

import asyncio
import dataclasses
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from grading.assignments import is_added, is_answer, is_graded, is_not_run, is_test
from grading.marks import REACHED_END, Outcome, mark_all, no_marks
from grading.processes import (
    POLL_SECONDS,
    answer_job,
    environment,
    kill_children,
    limit_this_process,
)
from grading.submissions import UnreadableError, merge, read
from grading.watch import TimeLimits, Watch

OUTPUT_CHARACTERS = 500_000
"""Kept of a cell's output; the rest is cut off."""
CUT = "output_cut"
"""The entry in the metadata of a cell whose output was cut."""
END = "application/x-end-of-cell"
SHOWN = ("display_data", "execute_result")
SHOWN_CHARACTERS = 2_500
"""Counted at least for a thing that is shown: pages with many of them are slow, too."""
HANG_SECONDS = 600
"""For what takes a second on a quiet machine: a kernel's start, the last messages of a cell."""


@dataclass(frozen=True)
class Job:
    """A submission, and what it is put into."""

    source: str
    """The notebook with all tests, as JSON."""
    released: str
    """What students got, as JSON."""
    path: str
    """The file that was handed in."""
    limits: TimeLimits

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Job":
        """Undo `to_json`."""
        return cls(**{**values, "limits": TimeLimits(**values["limits"])})


def work(job: dict[str, Any]) -> dict[str, Any]:
    """Grade one submission in this process: see `Job` and `Outcome`."""
    limit_this_process()
    return grade(Job.from_json(job)).to_json()


def grade(job: Job) -> Outcome:
    """Run what was handed in and mark it; never raises for what a student wrote."""
    source = nbformat.reads(job.source, as_version=4)
    released = nbformat.reads(job.released, as_version=4)
    try:
        submission = read(Path(job.path))
    except UnreadableError as error:
        reason = f"not graded: {error}"
        return Outcome(no_marks(source, reason), [reason])
    merged = merge(source, released, submission)
    notebook = merged.notebook
    stopped = run_through(notebook, Watch(job.limits))
    notes = [f"a cell was stopped: {reason}" for reason in dict.fromkeys(stopped.values())]
    notes += [f"the output of cell {c.id!r} was cut" for c in notebook.cells if CUT in c.metadata]
    tasks = mark_all(notebook, stopped)
    return Outcome(tasks, merged.notes + notes, nbformat.writes(notebook))


def run_through(notebook: NotebookNode, watch: Watch) -> dict[int, str]:
    """Run a notebook, and again without a cell that had to be stopped, until it runs to its end.

    Args:
        notebook: Gets outputs.
        watch: What limits the time.

    Returns:
        Numbers of the cells that were stopped, with the reason.
    """
    stopped: dict[int, str] = {}
    while True:
        last = asyncio.run(_run_once(notebook, stopped, watch))
        kill_children()
        if last is None:
            return stopped
        number, stopped[number] = last
        end = watch.reason_to_end()
        if end:
            for later in range(number + 1, len(notebook.cells)):
                stopped.setdefault(later, f"not reached: {end}")
            return stopped


async def _run_once(
    notebook: NotebookNode, stopped: dict[int, str], watch: Watch
) -> tuple[int, str] | None:
    """Run the cells that are not in `stopped`; number and reason of one that has to be."""
    client = _Client(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        coalesce_streams=False,  # its regular expression takes hours for a long line
        shutdown_kernel="immediate",
        startup_timeout=HANG_SECONDS,
        iopub_timeout=HANG_SECONDS,
        timeout=None,  # the watch stops a cell
    )
    watch.start_kernel()
    here = Path.cwd()
    variables = {**environment(here), "PYTHONPATH": str(here)}  # the copy of the library is here
    async with client.async_setup_kernel(cwd=str(here), env=variables):
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or number in stopped or is_not_run(cell):
                continue
            try:
                reason = await _run_cell(client, number, watch)
            except DeadKernelError:
                reason = "it ended the Python process"
            if reason:
                return number, reason
    return None


async def _run_cell(client: "_Client", number: int, watch: Watch) -> str:
    """Run a cell; why it had to be stopped, or nothing."""
    cell = client.nb.cells[number]
    of_the_course = not (is_graded(cell) or is_answer(cell) or is_added(cell))
    watch.start_cell(of_the_course)
    client.begin(cell)
    running = asyncio.ensure_future(client.run_to_end(cell, number))
    while True:
        done, _ = await asyncio.wait({running}, timeout=POLL_SECONDS)
        if done:
            running.result()
            return ""
        reason = watch.reason_to_stop()
        if reason:
            running.cancel()
            await asyncio.wait({running})
            running.exception()  # looked at, so that nothing complains that nobody did
            return reason


class _Client(NotebookClient):
    """Runs cells, keeps a limited part of their output, and sees whether a test came to its end."""

    kept = 0

    def begin(self, cell: NotebookNode) -> None:
        """Forget what an earlier run left in a cell."""
        self.kept = 0
        cell.metadata.pop(CUT, None)
        cell.metadata.pop(REACHED_END, None)

    async def run_to_end(self, cell: NotebookNode, number: int) -> None:
        """Run a cell; in a test, note in its metadata whether its last line was reached."""
        if not is_test(cell):
            await self.async_execute_cell(cell, number)
            join_streams(cell)
            return
        source, token = cell.source, secrets.token_hex(16)
        cell.source += f"\nget_ipython().display_pub.publish({{{END!r}: {token!r}}})"
        try:
            await self.async_execute_cell(cell, number)
        finally:
            cell.source = source
        ends = [output for output in cell.outputs if END in output.get("data", {})]
        cell.metadata[REACHED_END] = any(output.data[END] == token for output in ends)
        cell.outputs = [output for output in cell.outputs if output not in ends]
        join_streams(cell)

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a message from the kernel, as far as the output of its cell may still grow."""
        return super().process_message(msg, cell, cell_index) if self._cut(msg, cell) else None

    def _cut(self, message: dict[str, Any], cell: NotebookNode) -> bool:
        """Cut what is printed to the room that is left; False if nothing of the message is."""
        content = message["content"]
        room = max(0, OUTPUT_CHARACTERS - self.kept)
        if message["msg_type"] == "stream":
            size = len(content["text"])
            content["text"] = content["text"][:room]
        elif message["msg_type"] in SHOWN and END not in content["data"]:
            size = max(len(str(content)), SHOWN_CHARACTERS)
        else:
            return True
        self.kept += size
        if size > room:
            cell.metadata[CUT] = True
        return size <= room or (message["msg_type"] == "stream" and room > 0)


def join_streams(cell: NotebookNode) -> None:
    """Put together what was printed in many pieces, as a terminal shows it after a return."""
    joined: dict[str, NotebookNode] = {}
    outputs = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name in joined:
            joined[output.name].text += output.text
            continue
        if output.output_type == "stream":
            joined[output.name] = output
        outputs.append(output)
    for output in joined.values():
        lines = output.text.split("\n")
        output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    cell.outputs = outputs


if __name__ == "__main__":
    answer_job(work)
