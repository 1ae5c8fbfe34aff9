"""Processes with limits, of which none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from grading import processes
from grading.processes import JobError, StoppedError, kill_children, missing_limits, run_job


@pytest.fixture
def room(monkeypatch, tmp_path):
    """Makes a module that `run_job` can run, from its code."""
    monkeypatch.setattr(processes, "ROOT", tmp_path)

    def make(code: str) -> str:
        top = f"import sys\nsys.path.append({str(FOLDER)!r})\n"
        (tmp_path / "room.py").write_text(top + code, encoding="utf-8")
        return "room"

    return make


FOLDER = processes.Path(processes.__file__).parents[1]
ANSWER = "from grading.processes import answer_job\nanswer_job(lambda job: [job, 'ö'])"
SLEEP = "import subprocess, sys, time\nsubprocess.Popen(['sleep', '8271'])\ntime.sleep(8271)"


def left() -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["cmdline"]) if "8271" in (p.info["cmdline"] or [])]


def test_the_answer_comes_back(room, tmp_path):
    assert run_job(room(ANSWER), {"a": "日本" * 1_000_000}, tmp_path, 600)[0]["a"][:2] == "日本"


def test_what_is_written_to_standard_output_is_not_in_the_way(room, tmp_path):
    code = f"print('x' * 1_000_000)\n{ANSWER}\nprint('more')"
    assert run_job(room(code), 1, tmp_path, 600) == [1, "ö"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ValueError('broken: ö')", "status 1: ValueError: broken: ö"),
        ("import os\nos._exit(7)", "status 7: no message"),
        ("pass", "status 0: no message"),
    ],
)
def test_a_process_without_an_answer_says_why(code, reason, room, tmp_path):
    with pytest.raises(JobError, match=reason):
        run_job(room(code), 1, tmp_path, 600)


def test_a_process_that_does_not_end_is_ended_with_its_children(room, tmp_path):
    with pytest.raises(JobError, match=r"it took more than 3 s"):
        run_job(room(SLEEP), 1, tmp_path, 3)
    assert left() == []


def test_a_process_ends_when_it_is_told_to(room, tmp_path):
    stop = threading.Event()
    threading.Timer(1, stop.set).start()
    start = time.monotonic()
    with pytest.raises(StoppedError):
        run_job(room(SLEEP), 1, tmp_path, 600, stop)
    assert time.monotonic() - start < 60
    assert left() == []


FORKS = """
import os, time
token = 8272
while True:
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
    return [p for p in found if any("token = 8272\nwhile" in a for a in p.info["cmdline"] or [])]


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
    assert "abc" not in processes.environment(tmp_path).values()
