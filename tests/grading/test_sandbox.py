"""What cannot be seen, written or reached from where students' code runs."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from grading import sandbox
from grading.assignments import ROOT
from grading.sandbox import NONE, Sandbox, find_sandbox, inside

LOOK = """
import json, os, pathlib, socket, sys
hidden, port, prefix = json.loads(sys.argv[1])
def fails(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return ""
pathlib.Path("mine.txt").write_text("mine")
print(json.dumps({
    "seen": [folder for folder in hidden if os.path.exists(folder)],
    "network": fails(lambda: socket.create_connection(("127.0.0.1", port), 5)),
    "prefix": fails(lambda: pathlib.Path(prefix, "written").write_text("x")),
    "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    "rights": [line for line in open("/proc/self/status") if line.startswith("CapEff")][0].split()[1],
}))
"""
KINDS = list(sandbox.BUILDERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sandbox_keeps_what_it_promises(kind, tmp_path):
    submitted, folder = tmp_path / "submitted", tmp_path / "run"
    (submitted / "ada").mkdir(parents=True)
    folder.mkdir()
    hidden = find_sandbox([submitted]).hidden
    if not sandbox._works(kind, hidden):
        command = [*inside(kind, folder, hidden), "true"]
        is_there = shutil.which(command[0]) is not None
        assert not is_there or subprocess.run(command, capture_output=True).returncode != 0
        return
    looked_for = [str(ROOT / "grading"), str(ROOT / "notebooks"), str(submitted / "ada")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = json.dumps([looked_for, server.getsockname()[1], sys.prefix])
        command = [*inside(kind, folder, hidden), sys.executable, "-c", LOOK, told]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(done.stdout)
    assert seen["seen"] == []
    assert seen["network"]
    assert seen["prefix"] in ("OSError", "PermissionError")
    assert seen["processes"] < 10
    assert int(seen["rights"], 16) == 0
    assert (folder / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not Path(sys.prefix, "written").exists()


def test_without_a_sandbox_the_run_says_what_is_possible(monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    assert find_sandbox() == Sandbox("", find_sandbox().hidden)
    assert find_sandbox().missing == NONE
    assert inside("", Path("."), ["/home"]) == []
