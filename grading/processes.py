"""Processes with limits on memory and files, of which none is left behind."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
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
_PR_SET_CHILD_SUBREAPER = 36


class StoppedError(Exception):
    """The run was given up, by Ctrl-C, before the process had ended."""


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
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        import resource
    except ImportError:  # `missing_limits` has said so
        return
    if sys.platform == "linux":  # elsewhere the limit counts what is only reserved
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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
            children = [child for child in parent.children(recursive=True) if _is_alive(child)]
        except psutil.NoSuchProcess:  # the parent has ended, and its children are nobody's
            return
        looks_without = 0 if children else looks_without + 1
        for child in children:
            _kill(child)
        time.sleep(0.02)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _kill(process: psutil.Process) -> None:
    """End a process and its group, unless the group is ours."""
    try:
        if hasattr(os, "killpg"):
            group = os.getpgid(process.pid)
            if group != os.getpgrp():
                os.killpg(group, signal.SIGKILL)
                return
        process.kill()
    except (psutil.NoSuchProcess, ProcessLookupError):  # it has ended in between
        return


class JobError(RuntimeError):
    """A process made nothing of its job; the message is the reason, a part of a sentence."""


def environment(folder: Path) -> dict[str, str]:
    """The variables for a process that works in `folder`: few of ours, and none that is secret."""
    kept = {n: value for n, value in os.environ.items() if re.fullmatch(KEPT_VARIABLES, n)}
    return {
        **kept,
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(folder / ".ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / ".runtime"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "TQDM_DISABLE": "1",
    }


def run_job(
    module: str, job: Any, folder: Path, seconds: float, stop: threading.Event | None = None
) -> Any:
    """Let `module`, in a process of its own, make an answer of a job. See `answer_job`.

    The answer comes in a file whose name no submission knows: whatever a submission writes to
    standard output is not in its way. No process that was started is left.

    Args:
        module: A room of `grading` that calls `answer_job` when it is run.
        job: What JSON can hold.
        folder: Where the process works.
        seconds: On the wall's clock, after which it is ended.
        stop: Ends it, too, once it is set.

    Returns:
        The answer.

    Raises:
        JobError: There is none.
        StoppedError: `stop` was set.
    """
    with tempfile.TemporaryDirectory(prefix="grading-") as private:
        answer, errors = Path(private) / "answer.json", Path(private) / "errors.txt"
        with tempfile.TemporaryFile() as request, open(errors, "wb") as log:
            request.write(json.dumps({"job": job, "answer": str(answer)}).encode())
            request.seek(0)
            process = subprocess.Popen(
                # -P: no module that lies in `folder` is taken for one of ours.
                [sys.executable, "-P", "-m", module],
                cwd=folder,
                env={**environment(folder), "PYTHONPATH": str(ROOT)},
                stdin=request,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
            _wait(process, seconds, stop)
        if process.returncode == 0 and answer.is_file():
            return json.loads(answer.read_bytes())
        said = errors.read_bytes().decode("utf-8", "replace").strip().splitlines()
        last = said[-1] if said else "no message"
        raise JobError(f"the grader's process ended with status {process.returncode}: {last}")


def _wait(process: subprocess.Popen[bytes], seconds: float, stop: threading.Event | None) -> None:
    """Wait for the end, or make one."""
    until = time.monotonic() + seconds
    try:
        while process.poll() is None:
            if stop is not None and stop.is_set():
                raise StoppedError
            if time.monotonic() > until:
                raise JobError(f"it took more than {seconds:g} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
    finally:
        if process.poll() is None:
            kill_children(psutil.Process(process.pid))
            process.kill()
            process.wait()


def answer_job(work: Callable[[Any], Any]) -> None:
    """In the process that `run_job` started: read the job, do the work, write the answer."""
    request = json.loads(sys.stdin.buffer.read())
    answer = work(request["job"])
    Path(request["answer"]).write_bytes(json.dumps(answer).encode())
