"""A class's run: tables first and after every submission, pages after them, nothing that ends it."""

import csv
import os
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from grading import assignments, grade, pages, processes
from grading.marks import Outcome, TaskMark
from grading.processes import JobError
from grading.sandbox import NONE, Sandbox
from tests.grading.helpers import FIRST, NAMES, released

FOURTH = NAMES[3]


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def hand_in(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")


@pytest.fixture
def quick(monkeypatch):
    """Every submission earns 3 of 4 at once, with a notebook of a line; pages are made here."""
    notebook = nbformat.writes(new_notebook(cells=[new_markdown_cell("my words")]))
    outcome = Outcome([TaskMark("circle", 3.0, 4.0, "one is missing")], [], notebook)
    monkeypatch.setattr(grade, "run_job", lambda *_: outcome.to_json())
    monkeypatch.setattr(pages, "run_job", lambda work, job, *_: work(job))
    monkeypatch.setattr(grade, "warm_up", lambda *_: None)
    monkeypatch.setattr(grade, "find_sandbox", lambda *_: Sandbox("none of the test's"))


def test_tables_are_written_before_the_page_of_the_same_submission(quick, tmp_path, monkeypatch):
    hand_in(tmp_path / "in", [f"{name}/{FIRST}.ipynb" for name in ["ada", "bo", "cy"]])
    seen = []

    def count(result, out, stop=None):
        students = {row["student"] for row in rows(tmp_path / "out" / "totals.csv")}
        assert result.submission.student in students
        seen.append(len(students))

    monkeypatch.setattr(grade, "write_page", count)
    grade.grade_folder(tmp_path / "in", tmp_path / "out")
    assert seen == [1, 2, 3]


def test_a_notebook_that_cannot_be_shown_is_shown_as_text_and_noted(quick, tmp_path, monkeypatch):
    def fail(*_):
        raise JobError("it took more than 300 s")

    monkeypatch.setattr(pages, "run_job", fail)
    hand_in(tmp_path / "in", [f"ada/{FIRST}.ipynb", f"bo/{FIRST}.ipynb"])
    results = grade.grade_folder(tmp_path / "in", tmp_path / "out")
    assert [result.outcome.total for result in results] == [3, 3]
    for row in rows(tmp_path / "out" / "totals.csv"):
        assert row["notes"] == "the page shows the notebook as plain text: it took more than 300 s"
        page = tmp_path / "out" / "feedback" / row["student"] / f"{FIRST}.html"
        assert "<pre>my words</pre>" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_a_note(quick, tmp_path, capsys):
    hand_in(tmp_path / "in", [f"ada/{FIRST}.ipynb", f"bo/{FIRST}.ipynb"])
    (tmp_path / "out" / "feedback").mkdir(parents=True)
    (tmp_path / "out" / "feedback" / "ada").write_text("a file where a folder is needed")
    grade.grade_folder(tmp_path / "in", tmp_path / "out")
    notes = {row["student"]: row["notes"] for row in rows(tmp_path / "out" / "totals.csv")}
    assert "there is no page" in notes["ada"]
    assert notes["bo"] == ""
    assert [row["mark"] for row in rows(tmp_path / "out" / "marks.csv")] == ["3.0", "3.0"]
    assert "there is no page" in capsys.readouterr().out


def test_a_submission_that_cannot_be_run_stops_no_other(quick, tmp_path, monkeypatch):
    def run(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(grade, "run_job", run)
    hand_in(tmp_path / "in", [f"ada/{FIRST}.ipynb", "bo/notes.txt", "cy/homework.ipynb"])
    ada, bo, cy = grade.grade_folder(tmp_path / "in", tmp_path / "out")
    assert ada.outcome.total == 0
    assert "No space left on device" in ada.outcome.notes[0]
    assert bo.outcome.tasks == []
    assert bo.outcome.notes[-1] == "no notebook, and not graded: notes.txt"
    assert "homework.ipynb is not the name of an assignment" in cy.outcome.notes[0]


def test_two_notebooks_of_one_student_have_two_pages_and_two_rows(quick, tmp_path):
    files = [f"{FIRST}.ipynb", f"{FIRST} (1).ipynb", f"old/{FIRST}.ipynb"]
    hand_in(tmp_path / "in", [f"ada/{file}" for file in files])
    grade.grade_folder(tmp_path / "in", tmp_path / "out")
    found = (tmp_path / "out" / "feedback" / "ada").rglob("*.html")
    pages_found = {path.relative_to(tmp_path / "out" / "feedback" / "ada") for path in found}
    assert pages_found == {Path(file).with_suffix(".html") for file in files}
    for table in ["marks.csv", "totals.csv"]:
        assert {row["file"] for row in rows(tmp_path / "out" / table)} == set(files)


def test_ctrl_c_writes_what_there_is_and_ends_what_runs(quick, tmp_path, monkeypatch):
    hand_in(tmp_path / "in", [f"{name}/{FIRST}.ipynb" for name in ["ada", "bo", "cy"]])
    ended = threading.Event()

    def run(work, job, folder, limits, stop):
        if "ada" in job["path"]:
            return Outcome([TaskMark("circle", 4.0, 4.0, "")]).to_json()
        ended.set() if stop.wait(60) else None
        raise processes.StoppedError

    def press(result, out, stop=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "run_job", run)
    monkeypatch.setattr(grade, "write_page", press)
    arguments = [str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert grade.main(arguments) == 130
    assert ended.is_set()
    assert [row["student"] for row in rows(tmp_path / "out" / "totals.csv")] == ["ada"]


@pytest.mark.parametrize("kind", ["", "bubblewrap"])
def test_that_there_is_no_sandbox_is_said_once(kind, quick, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grade, "find_sandbox", lambda *_: Sandbox(kind))
    hand_in(tmp_path / "in", [f"{name}/{FIRST}.ipynb" for name in ["ada", "bo"]])
    grade.grade_folder(tmp_path / "in", tmp_path / "out")
    assert capsys.readouterr().out.count(NONE) == (0 if kind else 1)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_line_is_printed_in_any_encoding(encoding, monkeypatch, tmp_path):
    with open(tmp_path / "out.txt", "w", encoding=encoding) as file:
        monkeypatch.setattr(sys, "stdout", file)
        grade.say("Zoë 日本 \udcc3")
    told = (tmp_path / "out.txt").read_text(encoding=encoding)
    assert told.startswith("Zo")
    assert r"\udcc3" in told


# In a locale that is not UTF-8

NAME = "Zoë O'Brien, 日本"
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
OURS = [f"grading.{path.stem}" for path in Path(grade.__file__).parent.glob("*.py")]
STRICT = ["-X", "warn_default_encoding"]  # an error where our own code says no encoding
STRICT += [f"-Werror::EncodingWarning:{module}" for module in [*OURS, "sbd_utils.files"]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The folder with what was made of one submission in the C locale, and what was printed."""
    folder = tmp_path_factory.mktemp("plain")
    notebook = released(FOURTH)
    for cell in notebook.cells:
        if cell.id == "answer":
            cell.source = "Die Größe: β = 2, 答え"
    notebook.cells.append(new_markdown_cell("Nachtrag: ε"))
    (folder / "in" / NAME).mkdir(parents=True)
    text = nbformat.writes(notebook)
    (folder / "in" / NAME / f"{FOURTH}.ipynb").write_text(text, encoding="utf-8")
    command = [sys.executable, *STRICT, "-m", "grading", "grade", "in", "--out", "out"]
    run = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **PLAIN, "PYTHONPATH": str(assignments.ROOT)},
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr.decode(errors="replace")
    return folder / "out", run.stdout.decode("ascii")


def test_names_are_text_in_the_tables_whatever_the_locale(plain):
    out, printed = plain
    assert {row["student"] for row in rows(out / "marks.csv")} == {NAME}
    assert [row["student"] for row in rows(out / "totals.csv")] == [NAME]
    assert r"Zo\xeb O'Brien, \u65e5\u672c" in printed


def test_answers_are_read_as_they_were_written_whatever_the_locale(plain):
    page = (plain[0] / "feedback" / NAME / f"{FOURTH}.html").read_text(encoding="utf-8")
    assert "Die Größe: β = 2, 答え" in page
    assert "Nachtrag: ε" in page


def test_students_get_utf_8_whatever_the_locale(tmp_path):
    command = [sys.executable, *STRICT, "-m", "grading", "release", "student"]
    environment = {**os.environ, **PLAIN, "PYTHONPATH": str(assignments.ROOT)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    for name in NAMES:
        text = (tmp_path / "student" / f"{name}.ipynb").read_text(encoding="utf-8")
        given = nbformat.reads(text, as_version=4)
        assert [c.source for c in given.cells] == [c.source for c in released(name).cells]
