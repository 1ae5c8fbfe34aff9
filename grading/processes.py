"""Processes with limits on memory and files, of which none is left behind."""

import contextlib
import json
import math
import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from grading.assignments import ROOT

FILE_BYTES = 100_000_000
"""Of any file that a submission writes."""
MEMORY_BYTES = 6_000_000_000
POLL_SECONDS = 0.2
LOOKS = 5
"""At the processes, without finding any, before nothing is taken to be left."""
KEPT_VARIABLES = (
    r"PATH|HOME|LANG|LC_.*|TMPDIR|MPLCONFIGDIR"
    r"|SYSTEMROOT|SYSTEMDRIVE|USERPROFILE|APPDATA|LOCALAPPDATA|TEMP|TMP|PATHEXT|COMSPEC"
)
"""Of the environment; the second line is what Windows needs."""
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36


class StoppedError(Exception):
    """The run was given up, by Ctrl-C, before the process had ended."""


class JobError(RuntimeError):
    """A process made nothing of its job; the message is the reason, a part of a sentence."""


def seconds_of_children() -> float:
    """Processor time of all processes below this one, in seconds, those that ended included.

    What an ended process took is known once its parent has waited for it.
    """
    seconds = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:  # it has ended in between
            continue
        seconds += times.user + times.system
        # Missing on Windows.
        seconds += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return seconds


def missing_limits() -> str:
    """What this system cannot limit, as a sentence; empty where it can limit everything."""
    try:
        import resource  # noqa: F401
    except ImportError:
        return (
            "This system has no limits for memory and for the size of files: a submission that "
            "takes all memory, or fills the disk, slows down the others. Time is limited."
        )
    if sys.platform != "linux":
        return "This system does not limit memory: a submission that takes all slows down others."
    return ""


def limit_this_process() -> None:
    """Limit memory and files of this process and of those it starts, where the system can.

    On Linux, processes that a submission detaches become children of this one: see `kill_children`.
    """
    _control(PR_SET_CHILD_SUBREAPER, 1)
    try:
        import resource
    except ImportError:  # `missing_limits` has said so
        return
    if sys.platform == "linux":  # elsewhere the limit counts what is only reserved
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def keep_to_itself() -> None:
    """Let no other process of the same user look into this one: see proc(5) and prctl(2), Linux.

    Neither into its memory, nor at its environment, its folder and its open files.
    """
    _control(PR_SET_DUMPABLE, 0)


def _control(what: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def kill_children(of: psutil.Process | None = None, seconds: float = 30) -> None:
    """End all processes below one, those too that are started while it goes on.

    A process that forks and ends, again and again, is missed by any one look at the processes:
    so whole groups are ended at once, where there are groups, and nothing must be seen for a while.

    Args:
        of: This process, where it is None.
        seconds: For how long to try.
    """
    until = time.monotonic() + seconds
    parent = of or psutil.Process()
    looks_without = 0
    while looks_without < LOOKS and time.monotonic() < until:
        try:
            children = parent.children(recursive=True)
        except psutil.NoSuchProcess:  # the parent has ended, and its children are nobody's
            return
        looks_without = 0 if any(map(_is_alive, children)) else looks_without + 1
        _kill(children)
        time.sleep(0.02)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(processes: list[psutil.Process]) -> None:
    """End processes and their groups, but for ours.

    Of a process that forks and ends, each that is found is dead by now; but until it is buried, it
    tells the number of the group in which the next one lives.
    """
    groups = set()
    for process in processes:
        try:
            group = os.getpgid(process.pid) if hasattr(os, "killpg") else None
            if group is None or group == os.getpgrp():
                process.kill()
            else:
                groups.add(group)
        except (psutil.NoSuchProcess, ProcessLookupError):  # it has ended in between
            continue
    for group in groups:  # each once: thousands may be dead in it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def environment(folder: Path) -> dict[str, str]:
    """The variables for a student's process in `folder`: few of ours, and none that is secret.

    Home and temporary files are there, and a Python environment of its own, if there is one.
    """
    kept = {n: value for n, value in os.environ.items() if re.fullmatch(KEPT_VARIABLES, n)}
    scripts = folder / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
    return {
        **kept,
        "PATH": os.pathsep.join([str(scripts), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "TMPDIR": str(folder),
        "MPLCONFIGDIR": str(folder / ".matplotlib"),
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / ".runtime"),
        "OMP_NUM_THREADS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "TQDM_DISABLE": "1",
    }


# Jobs


@dataclass(frozen=True)
class Limits:
    """When a job's process is ended."""

    seconds: float
    """On the wall's clock."""
    processor_seconds: float = math.inf
    """Of its own, without those of processes that it started."""


CONTEXT: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
"""How a process begins: where it can, as a copy of one that has imported what it needs."""


def warm_up(*modules: str) -> None:
    """Start what the processes of `run_job` are copies of; does nothing the second time.

    Args:
        *modules: It imports them once, and none of its copies has to.
    """
    if sys.platform != "win32":
        from multiprocessing import forkserver

        CONTEXT.set_forkserver_preload(list(modules))
        with _variables(OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT)):
            forkserver.ensure_running()


@contextlib.contextmanager
def _variables(**values: str) -> Iterator[None]:
    """Set variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value


def run_job(
    work: Callable[[Any], Any],
    job: Any,
    folder: Path,
    limits: Limits,
    stop: threading.Event | None = None,
) -> Any:
    """Let `work`, in a process of its own, make an answer of a job.

    The answer comes through a pipe that no submission knows: what a submission writes to standard
    output is not in its way. No process that was started is left.

    Args:
        work: A function that can be imported.
        job: What JSON can hold.
        folder: Where the process works.
        limits: When it is ended.
        stop: Ends it, too, once it is set.

    Returns:
        The answer.

    Raises:
        JobError: There is none.
        StoppedError: `stop` was set.
    """
    answers, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_do, args=(work, job, str(folder), theirs))
    with answers:
        process.start()
        theirs.close()
        try:
            text = _answer(process, answers, limits, stop)
            process.join(limits.seconds)
        finally:
            _end(process)
    answer = json.loads(text or "{}")
    if process.exitcode == 0 and "answer" in answer:
        return answer["answer"]
    last = answer.get("error", "no message")
    raise JobError(f"the grader's process ended with status {process.exitcode}: {last}")


def _answer(
    process: BaseProcess, answers: Connection, limits: Limits, stop: threading.Event | None
) -> bytes:
    """Wait for what the process says; empty if it ends without a word."""
    until = time.monotonic() + limits.seconds
    while not answers.poll(POLL_SECONDS):
        if stop is not None and stop.is_set():
            raise StoppedError
        if time.monotonic() > until:
            raise JobError(f"it took more than {limits.seconds:g} s")
        if _processor_seconds(process) > limits.processor_seconds:
            raise JobError(f"it took more than {limits.processor_seconds:g} s of processor time")
    try:
        return answers.recv_bytes()
    except EOFError:
        return b""


def _processor_seconds(process: BaseProcess) -> float:
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.NoSuchProcess:  # it has ended in between
        return 0.0
    return float(times.user + times.system)


def _end(process: BaseProcess) -> None:
    """End a process that has not ended, and all below it."""
    if process.is_alive():
        with contextlib.suppress(psutil.NoSuchProcess):
            kill_children(psutil.Process(process.pid))
        process.kill()
    process.join()


def _do(work: Callable[[Any], Any], job: Any, folder: str, answers: Connection) -> None:
    """In the process that `run_job` started: do the work, send the answer."""
    keep_to_itself()
    if hasattr(os, "setsid"):
        os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.chdir(folder)
    try:
        answer = {"answer": work(job)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    answers.send_bytes(json.dumps(answer).encode())
    answers.close()
    if "error" in answer:
        sys.exit(1)
