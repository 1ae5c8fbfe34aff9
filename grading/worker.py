"""The process that grades one submission: it runs the cells in a kernel, and judges.

A cell of a test is run twice: as students got it, in the kernel, where it says what it says to a
student; and whole, in the judge's namespace in this process, which alone decides the mark.

A cell that does not end, or ends the kernel, is taken out, and the rest is run again without it, so
that it costs its own task alone.
"""

import asyncio
import contextlib
import dataclasses
import json
import shutil
import socket
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from grading import sandbox
from grading.assignments import (
    HIDDEN,
    ROOT,
    is_added,
    is_answer,
    is_graded,
    is_not_run,
    is_test,
)
from grading.marks import VERDICT, Outcome, mark_all, no_marks
from grading.processes import (
    POLL_SECONDS,
    environment,
    kill_children,
    limit_this_process,
)
from grading.submissions import UnreadableError, merge, read
from grading.watch import TimeLimits, Watch

if TYPE_CHECKING:
    from grading.judge import Judge

OUTPUT_CHARACTERS = 500_000
"""Kept of a cell's output; the rest is cut off."""
CUT_HERE = f"(Cut here: a cell's output is kept up to {OUTPUT_CHARACTERS:,} characters.)"
CUT = "output_cut"
"""The entry in the metadata of a cell whose output was cut."""
SHOWN = ("display_data", "execute_result")
SHOWN_CHARACTERS = 2_500
"""Counted at least for a thing that is shown: pages with many of them are slow, too."""
ENDED = "it ended the Python process"
KERNEL = "student"
ENVIRONMENT = ".venv"
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
    sandbox: str = ""
    """The kind in which the student's code runs: see `sandbox.find_sandbox`."""
    hidden: list[str] = field(default_factory=list)
    """Folders that cannot be seen from there."""

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
    launch = prepare(Path.cwd(), job)
    stopped = run_through(source, notebook, Watch(job.limits), launch)
    notes = [f"a cell was stopped: {reason}" for reason in dict.fromkeys(stopped.values())]
    notes += [f"the output of cell {c.id!r} was cut" for c in notebook.cells if CUT in c.metadata]
    say_where_output_was_cut(notebook)
    tasks = mark_all(notebook, stopped)
    return Outcome(tasks, merged.notes + notes, nbformat.writes(notebook))


def say_where_output_was_cut(notebook: NotebookNode) -> None:
    """Let the last output of a cell say that the rest was cut off."""
    for cell in notebook.cells:
        if CUT in cell.metadata:
            cell.outputs.append(nbformat.v4.new_output("stream", text=f"{CUT_HERE}\n"))


def prepare(folder: Path, job: Job) -> Path:
    """Make the folder in which a student's code runs, and all that it gets of us.

    The library is a copy, and so is the little of the grader that answers the judge. The Python
    environment is one of its own, on top of the course's: what `pip` does there ends with it.

    Args:
        folder: Empty.
        job: Says in what sandbox to run.

    Returns:
        A folder with a kernel specification: how the kernel is started.
    """
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "sbd_utils", folder / "sbd_utils", ignore=caches)
    (folder / "grading").mkdir()
    (folder / "grading" / "__init__.py").touch()
    for name in ["wire", "peer", "kernel"]:
        shutil.copy(ROOT / "grading" / f"{name}.py", folder / "grading")
    python = own_environment(folder / ENVIRONMENT)
    launch = folder / ".launch"
    (launch / KERNEL).mkdir(parents=True)
    (folder / ".runtime").mkdir()
    copy_font_list(folder / ".matplotlib")
    begin = sandbox.inside(job.sandbox, folder, job.hidden)
    command = [*begin, str(python), "-m", "grading.kernel", "-f", "{connection_file}"]
    command.append("--HistoryManager.hist_file=:memory:")
    spec = {"argv": command, "display_name": KERNEL, "language": "python"}
    (launch / KERNEL / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return launch


def own_environment(folder: Path) -> Path:
    """Make a Python environment on top of ours; where its Python is."""
    venv.EnvBuilder(symlinks=sys.platform != "win32").create(folder)
    packages = [name for name in sys.path if Path(name).name in ("site-packages", "dist-packages")]
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    (site,) = folder.glob("[Ll]ib/**/site-packages")
    (site / "course.pth").write_text("\n".join(packages) + "\n", encoding="utf-8")
    python = scripts / Path(sys.executable).name
    if sys.platform != "win32":
        pip = scripts / "pip"
        pip.write_text(f'#!/bin/sh\nexec {python} -m pip "$@"\n', encoding="utf-8")
        pip.chmod(0o755)
    return python


def copy_font_list(folder: Path) -> None:
    """Give matplotlib the list of fonts that it would else make in seconds."""
    import matplotlib

    folder.mkdir()
    for path in Path(matplotlib.get_cachedir()).glob("fontlist*.json"):
        shutil.copy(path, folder)


def run_through(
    source: NotebookNode, notebook: NotebookNode, watch: Watch, launch: Path
) -> dict[int, str]:
    """Run a notebook, and again without a cell that had to be stopped, until it runs to its end.

    Args:
        source: The course's, with solutions.
        notebook: With a student's answers. Gets outputs and verdicts.
        watch: What limits the time.
        launch: From `prepare`.

    Returns:
        Numbers of the cells that were stopped, with the reason.
    """
    from grading.judge import Judge  # here: who only starts a worker does without torch

    stopped: dict[int, str] = {}
    while True:
        judge = Judge(source, notebook, Path.cwd())
        with contextlib.closing(judge):
            last = asyncio.run(_run_once(judge, notebook, stopped, watch, launch))
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
    judge: "Judge", notebook: NotebookNode, stopped: dict[int, str], watch: Watch, launch: Path
) -> tuple[int, str] | None:
    """Run the cells that are not in `stopped`; number and reason of one that has to be."""
    client = _Client(
        notebook,
        km=_manager(launch),
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
    setup = client.async_setup_kernel(cwd=str(here), env=environment(here), cleanup_kc=True)
    async with setup:
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code" or number in stopped or is_not_run(cell):
                continue
            try:
                reason = await _run_cell(client, number, watch)
                if is_test(cell) and not reason:
                    reason = await _judge_cell(client, number, watch, judge)
            except DeadKernelError:
                reason = ENDED
            if reason:
                return number, reason
    return None


def _manager(launch: Path) -> AsyncKernelManager:
    """What starts a kernel as `prepare` says, on sockets in its folder where there are such."""
    manager = AsyncKernelManager(
        kernel_name=KERNEL,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(launch)]),
        connection_file=str(launch.parent / ".runtime" / "kernel.json"),
    )
    if hasattr(socket, "AF_UNIX"):
        manager.transport = "ipc"
    return manager


async def _run_cell(client: "_Client", number: int, watch: Watch) -> str:
    """Run a cell; why it had to be stopped, or nothing."""
    cell = client.nb.cells[number]
    of_the_course = not (is_graded(cell) or is_answer(cell) or is_added(cell))
    watch.start_cell(of_the_course)
    client.begin(cell)
    source = cell.source
    if is_test(cell):
        cell.source = HIDDEN.sub("", source)
    running = asyncio.ensure_future(client.async_execute_cell(cell, number))
    try:
        reason = await _until_done({running}, watch)
    finally:
        cell.source = source
        join_streams(cell)
    return reason or client.ended


async def _judge_cell(client: "_Client", number: int, watch: Watch, judge: "Judge") -> str:
    """Judge a test while the kernel serves; why it had to be stopped, or nothing."""
    cell = client.nb.cells[number]
    serving = nbformat.v4.new_code_cell(judge.code)
    watch.start_cell(of_the_course=False)
    client.kept = OUTPUT_CHARACTERS  # nothing of it is shown
    judge.expect_kernel()
    kernel = asyncio.ensure_future(client.async_execute_cell(serving, number, store_history=False))
    verdict = asyncio.get_running_loop().run_in_executor(None, judge.test, number)
    kernel.add_done_callback(lambda _: judge.let_go())
    try:
        reason = await _until_done({kernel, verdict}, watch)
    finally:
        judge.let_go()
        client.nb.cells[number] = cell
    if not reason:
        cell.metadata[VERDICT] = verdict.result()
        _show_verdict(cell)
    return reason


async def _until_done(running: set["asyncio.Future[Any]"], watch: Watch) -> str:
    """Wait; why it had to be stopped, or nothing."""
    while True:
        _, pending = await asyncio.wait(running, timeout=POLL_SECONDS)
        if not pending:
            for one in running:
                one.result()
            return ""
        reason = watch.reason_to_stop()
        if reason:
            for one in pending:
                one.cancel()
            await asyncio.wait(running, timeout=HANG_SECONDS)
            for one in running:
                if one.done() and not one.cancelled():
                    one.exception()  # looked at, so that nothing complains that nobody did
            return reason


def _show_verdict(cell: NotebookNode) -> None:
    """Below a test that its visible half passes, say what the whole one says."""
    verdict = cell.metadata[VERDICT]
    shown = any(output.output_type == "error" for output in cell.outputs)
    if verdict and not shown:
        error = nbformat.v4.new_output("error", ename="NotYet", evalue=verdict, traceback=[])
        cell.outputs.append(error)


class _Client(NotebookClient):
    """Runs cells, keeps a limited part of their output, and sees whether one ends the kernel."""

    kept = 0
    ended = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As its base."""
        super().__init__(*args, **kwargs)
        self.on_cell_executed = self.note_end

    def begin(self, cell: NotebookNode) -> None:
        """Forget what an earlier run left in a cell."""
        self.kept = 0
        cell.metadata.pop(CUT, None)
        cell.metadata.pop(VERDICT, None)

    async def note_end(self, cell: NotebookNode, cell_index: int, execute_reply: Any) -> None:
        """Note whether a cell has asked for the kernel's end, which comes a moment later."""
        payload = execute_reply["content"].get("payload") or []
        if any(item.get("source") == "ask_exit" for item in payload):
            self.ended = ENDED

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
        elif message["msg_type"] in SHOWN:
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
