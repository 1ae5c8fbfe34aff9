"""Processes with limits, of which none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from grading import processes
from grading.processes import (
    JobError,
    Limits,
    StoppedError,
    kill_children,
    missing_limits,
    run_job,
)

FOLDER = Path(processes.__file__).parents[1]
LONG = Limits(600)
SLEEP = ["sleep", "8271"]


def answer(job):
    print("x" * 1_000_000)
    return [job, "ö"]


def fail(job):
    raise ValueError("broken: ö")


def leave(job):
    os._exit(7)


def sleep(job):
    subprocess.Popen(SLEEP)
    time.sleep(8271)


def compute(job):
    while True:
        pass


def look_around(job):
    return os.getcwd()


def left() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if "8271" in (p.info["cmdline"] or [])]


def test_the_answer_comes_back_whatever_is_printed(tmp_path):
    job, word = run_job(answer, {"a": "日本" * 1_000_000}, tmp_path, LONG)
    assert job["a"][:2] == "日本"
    assert word == "ö"


@pytest.mark.parametrize(
    ("work", "reason"),
    [(fail, "status 1: ValueError: broken: ö"), (leave, "status 7: no message")],
)
def test_a_process_without_an_answer_says_why(work, reason, tmp_path):
    with pytest.raises(JobError, match=reason):
        run_job(work, 1, tmp_path, LONG)


def test_a_process_that_does_not_end_is_ended_with_its_children(tmp_path):
    with pytest.raises(JobError, match=r"it took more than 3 s"):
        run_job(sleep, 1, tmp_path, Limits(3))
    assert left() == []


def test_a_process_has_its_processor_time(tmp_path):
    with pytest.raises(JobError, match=r"it took more than 1 s of processor time"):
        run_job(compute, 1, tmp_path, Limits(600, 1))


def test_a_process_ends_when_it_is_told_to(tmp_path):
    stop = threading.Event()
    threading.Timer(1, stop.set).start()
    start = time.monotonic()
    with pytest.raises(StoppedError):
        run_job(sleep, 1, tmp_path, LONG, stop)
    assert time.monotonic() - start < 60
    assert left() == []


def test_a_process_works_in_its_folder(tmp_path):
    assert Path(run_job(look_around, 1, tmp_path, LONG)) == tmp_path.resolve()


FORKS = """
import os, time
token = 8272
end = time.monotonic() + 30  # whatever becomes of the test
while time.monotonic() < end:
    if os.fork():
        time.sleep(0.01)
        os._exit(0)
"""
ENDS = f"""
import subprocess, sys, time, psutil
from grading.processes import kill_children, limit_this_process
limit_this_process()
subprocess.Popen([sys.executable, "-c", {FORKS!r}], start_new_session=True)
time.sleep(2)
assert psutil.Process().children()
kill_children()
"""


def forking() -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [p for p in found if any("token = 8272\nend" in a for a in p.info["cmdline"] or [])]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are adopted on Linux alone")
def test_a_process_that_forks_away_is_ended():
    """In a process of its own, as in the worker, where a kernel is the head of a group."""
    subprocess.run([sys.executable, "-c", ENDS], check=True, cwd=FOLDER)
    looks = []
    try:
        for _ in range(20):
            looks.append(len(forking()))
            time.sleep(0.05)
        assert looks == [0] * 20
    finally:
        for process in forking():
            os.killpg(os.getpgid(process.pid), signal.SIGKILL)


def test_where_there_are_no_limits_the_grader_says_so_and_runs(monkeypatch):
    assert missing_limits() == "" or sys.platform != "linux"
    monkeypatch.setitem(
        sys.modules, "resource", None
    )  # to import it is now an error, as on Windows
    assert missing_limits().startswith("This system has no limits for memory")
    monkeypatch.setattr(sys, "platform", "win32")
    processes.limit_this_process()
    kill_children()


def test_no_secret_of_ours_reaches_a_submission(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    variables = processes.environment(tmp_path)
    assert "abc" not in variables.values()
    assert variables["HOME"] == variables["TMPDIR"] == str(tmp_path)
