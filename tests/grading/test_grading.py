"""The assignments and their grader: what students get, what wrong answers earn, what hostile submissions do.

All wrong answers are graded by the function behind `make grade`, several in a submission.
"""

import ast
import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.grading import wrong_answers
from tests.grading.wrong_answers import CIRCLE, SPECTRUM, WRONG, edit, grade, notebook_with, release

ROOT = Path(__file__).resolve().parents[2]
NAMES = release.names()
FIRST = NAMES[0]
EVERY = [
    (name, task, answer)
    for name, tasks in WRONG.items()
    for task, answers in tasks.items()
    for answer in answers
]

each_assignment = pytest.mark.parametrize("name", NAMES)


def machine_tasks(name: str) -> dict[str, float]:
    """Points of the tasks that are graded by machine."""
    cells = [
        cell
        for cell in release.read_source(name).cells
        if grade.graded(cell) and not grade.by_hand(cell)
    ]
    return {cell.id.removesuffix("-test"): cell.metadata["nbgrader"]["points"] for cell in cells}


def released(name: str) -> nbformat.NotebookNode:
    return release.student_version(release.read_source(name))


def text(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


# The sources and what students get


def test_there_are_four():
    assert [name[0] for name in NAMES] == ["1", "2", "3", "4"]


@each_assignment
def test_marks_add_up_and_are_shown(name):
    cells = [cell for cell in release.read_source(name).cells if grade.graded(cell)]
    assert sum(cell.metadata["nbgrader"]["points"] for cell in cells) == 25
    first = release.read_source(name).cells[0].source
    assert "**Marks**: 25" in first
    assert "**Time**" in first
    shown = [
        int(marks)
        for marks in re.findall(r"^## Task \d .*\((\d+) marks", text(released(name)), re.MULTILINE)
    ]
    assert shown[: len(machine_tasks(name))] == list(machine_tasks(name).values())


@each_assignment
def test_students_get_no_line_of_a_solution_and_no_test_that_is_hidden(name):
    source, given = release.read_source(name), text(released(name))
    region = r"### BEGIN (?:SOLUTION|HIDDEN TESTS)[^\n]*\n(.*?)### END"
    written = [cell for cell in source.cells if grade.graded(cell) and cell.cell_type == "markdown"]
    secret = [*re.findall(region, text(source), re.DOTALL), *(cell.source for cell in written)]
    assert len(secret) >= 2 * len(machine_tasks(name))
    source.cells = [cell for cell in source.cells if cell not in written]
    outside = {
        line.strip() for line in re.sub(region, "", text(source), flags=re.DOTALL).splitlines()
    }
    lines = {
        line.strip() for part in secret for line in part.splitlines() if len(line.strip()) > 20
    } - outside
    assert len(lines) > 10
    assert not lines & {line.strip() for line in given.splitlines()}


@each_assignment
def test_every_stub_says_what_is_to_be_done(name):
    notebook = released(name)
    for task in machine_tasks(name):
        cell = next(cell for cell in notebook.cells if cell.id == task)
        assert re.search(r"raise NotImplementedError\(.{20,}\)", cell.source)


@pytest.mark.parametrize(
    ("right", "mistyped"),
    [
        ("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST"),
        ("### BEGIN HIDDEN TESTS", "# hidden tests"),
        ("### END HIDDEN TESTS", "### END HIDEN TESTS"),
        ("### BEGIN SOLUTION:", "### BEGIN SOLUTON:"),
        ("### END SOLUTION", "# END"),
        ("### BEGIN SOLUTION: ", "### BEGIN SOLUTION"),
    ],
)
def test_a_mistyped_marker_is_refused(right, mistyped, tmp_path, monkeypatch, capsys):
    original = release.read_source

    def read(name):
        notebook = original(name)
        for cell in notebook.cells:
            if cell.id.startswith("circle"):
                cell.source = cell.source.replace(right, mistyped)
        return notebook

    monkeypatch.setattr(release, "read_source", read)
    assert release.main([str(tmp_path / "out")]) == 1
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_folder_for_students_can_be_handed_out_alone(tmp_path):
    assert release.main([str(tmp_path)]) == 0
    assert sorted(path.stem for path in tmp_path.glob("*.ipynb")) == NAMES
    code = "import sbd_utils.checks as c; print(c.__file__)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(run.stdout.strip()).is_relative_to(tmp_path)
    everything = "".join(
        path.read_text() for path in tmp_path.rglob("*") if path.suffix in {".py", ".ipynb", ".md"}
    )
    assert "BEGIN SOLUTION" not in everything
    assert "HIDDEN TESTS" not in everything


@each_assignment
def test_sources_run_from_beginning_to_end(name):
    """Pictures and experiments included, which grading leaves out; the experiment with three updates a run."""
    cells = [cell.source for cell in release.read_source(name).cells if cell.cell_type == "code"]
    if name.startswith("4"):
        assert sum("STEPS, SEEDS = 800," in source for source in cells) == 1
        cells = [source.replace("STEPS, SEEDS = 800,", "STEPS, SEEDS = 3,") for source in cells]
    run = subprocess.run(
        [sys.executable, ROOT / "tests" / "run_cells.py"],
        input=json.dumps({"cells": cells, "solutions": [], "missing": []}),
        cwd=release.SOURCES,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def test_checks_import_nothing_of_the_library():
    tree = ast.parse((ROOT / "sbd_utils" / "checks.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sbd_utils"):
            assert node.module == "sbd_utils.checks"
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("sbd_utils") for alias in node.names)


# Right and wrong answers


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder with tables and feedback; (student, assignment) -> the result, and its wrong answers by task."""
    folder = tmp_path_factory.mktemp("answers")
    written = wrong_answers.write_all(folder)
    for student, make in [("solution", release.read_source), ("untouched", released)]:
        (folder / student).mkdir()
        for name in NAMES:
            nbformat.write(make(name), folder / student / f"{name}.ipynb")
            written[student, name] = {}
    out = tmp_path_factory.mktemp("graded")
    results = grade.grade_folder(folder, out, 2, 120, 400)
    assert len(results) == len(written)
    return out, {
        (r["student"], r["assignment"]): (r, written[r["student"], r["assignment"]])
        for r in results
    }


@each_assignment
def test_the_solution_earns_full_marks(name, graded):
    result, _ = graded[1]["solution", name]
    assert {
        t["task"]: t["mark"] for t in result["tasks"] if t["mark"] is not None
    } == machine_tasks(name)
    assert result["notes"] == []


@each_assignment
def test_the_untouched_release_earns_nothing(name, graded):
    result, _ = graded[1]["untouched", name]
    assert grade.total(result) == 0
    for task in result["tasks"]:
        assert re.search("not done yet|to be graded by hand|no predictions yet", task["reason"])


def test_enough_wrong_answers_are_tried():
    for name in NAMES:
        assert set(WRONG[name]) == set(machine_tasks(name))
    assert all(len(answers) >= 5 for tasks in WRONG.values() for answers in tasks.values())
    assert len(EVERY) >= 60


@pytest.mark.parametrize(
    ("name", "task", "answer"),
    EVERY,
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_a_wrong_answer_is_caught_and_told_what_is_wrong(name, task, answer, graded):
    found = [
        r
        for r, wrong in graded[1].values()
        if r["assignment"] == name and wrong.get(task) == answer
    ]
    assert len(found) == 1
    marked = next(t for t in found[0]["tasks"] if t["task"] == task)
    assert marked["mark"] < marked["possible"]
    assert answer[1] in marked["reason"]


def test_what_is_left_right_earns_full_marks(graded):
    seen = 0
    for result, wrong in graded[1].values():
        for task in result["tasks"]:
            if wrong and task["task"] not in wrong and task["mark"] is not None:
                assert task["mark"] == task["possible"], (result["student"], task)
                seen += 1
    assert seen >= len(wrong_answers.submissions(FIRST))


def test_tables_and_feedback_are_written(graded):
    out, results = graded
    with open(out / "marks.csv", newline="") as file:
        marks = list(csv.DictReader(file))
    assert len(marks) == sum(len(r["tasks"]) for r, _ in results.values())
    with open(out / "totals.csv", newline="") as file:
        totals = {
            (row["student"], row["assignment"]): float(row["by machine"])
            for row in csv.DictReader(file)
        }
    assert totals == {key: grade.total(r) for key, (r, _) in results.items()}
    for student, name in results:
        page = (out / "feedback" / student / f"{name}.html").read_text()
        assert "HIDDEN TESTS" not in page
        assert "_right" not in page, "the feedback shows a test that is hidden"
        assert "circle" in page or name != FIRST


# Hostile submissions

MARK = "31536017"  # seconds that a process left behind would sleep: known by its number

HOSTILE = {
    "loops": {
        "circle": CIRCLE.replace("    at =", "    while True:\n        pass\n    at ="),
        "spectrum": "while 1:\n    try:\n        while 1:\n            pass\n    except BaseException:\n        pass",
    },
    "ends": {
        "circle": "def circle(x, y, size, img_size):\n    import os\n    os._exit(0)",
        "center_of_mass": "def center_of_mass(images):\n    raise SystemExit",
        "worst_error": "def worst_error(render, measure, positions, img_size=64)\n    return 0",
        "spectrum": "def spectrum(images):\n    return bytearray(10**12)",
    },
    "noisy": {
        "circle": CIRCLE.replace("    at =", "    print('x' * 20_000_000)\n    at ="),
        "center_of_mass": "def my_center(images):\n    return images",
        "spectrum": "import pathlib, subprocess, sbd_utils\n"
        f"subprocess.Popen(['sleep', '{MARK}'], start_new_session=True)\n"
        "pathlib.Path(sbd_utils.__file__).with_name('metrics.py').write_text('broken')\n"
        + SPECTRUM,
    },
}
NOT_NOTEBOOKS = {
    "text": "I did it on paper.",
    "empty": "",
    "json": '{"a": 1}',
    "list": "[1, 2]",
    "cut": '{"cells": [{"cell_type": "code", "source": "x',
    "no-cells": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder, out = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("hostile-graded")
    notebooks = {student: notebook_with(FIRST, answers) for student, answers in HOSTILE.items()}
    notebooks["deletes"] = release.read_source(FIRST)
    notebooks["deletes"].cells = [
        cell for cell in notebooks["deletes"].cells if not cell.id.endswith("-test")
    ]
    notebooks["edits"] = notebook_with(FIRST, {"circle": edit(CIRCLE, "(size / 2)", "size")})
    for cell in notebooks["edits"].cells:
        if cell.id.endswith("-test"):
            cell.source, cell.metadata["nbgrader"]["points"] = "pass", 1000
    extra = nbformat.v4.new_code_cell("pass")
    extra.metadata["nbgrader"] = dict(
        grade=True,
        grade_id="bonus-test",
        locked=True,
        points=1000,
        schema_version=3,
        solution=False,
        task=False,
    )
    notebooks["edits"].cells.append(extra)
    for student, notebook in notebooks.items():
        (folder / student).mkdir()
        nbformat.write(notebook, folder / student / f"{FIRST}.ipynb")
    for student, content in NOT_NOTEBOOKS.items():
        (folder / student).mkdir()
        (folder / student / f"{FIRST}.ipynb").write_text(content)
    (folder / "word").mkdir()
    (folder / "word" / "my homework.docx").write_bytes(bytes(range(256)))
    (folder / "bytes").mkdir()
    (folder / "bytes" / f"{FIRST}.ipynb").write_bytes(bytes(range(256)))
    before = {path: path.read_bytes() for path in (ROOT / "sbd_utils").glob("*.py")}
    results = {r["student"]: r for r in grade.grade_folder(folder, out, 2, 20, 300)}
    assert {path: path.read_bytes() for path in before} == before, (
        "a submission changed the library"
    )
    return out, results


def marks(result: dict) -> dict[str, float]:
    """What is missing from full marks, by task; with the reasons."""
    return {
        t["task"]: t["reason"]
        for t in result["tasks"]
        if t["mark"] is not None and t["mark"] < t["possible"]
    }


def test_an_endless_loop_costs_its_task_alone(hostile):
    lost = marks(hostile[1]["loops"])
    assert set(lost) == {"circle", "spectrum"}
    assert all("ran for more than 20 s" in reason for reason in lost.values())


def test_to_end_the_process_or_take_all_memory_costs_the_task_alone(hostile):
    lost = marks(hostile[1]["ends"])
    assert set(lost) == {"circle", "center_of_mass", "worst_error", "spectrum"}
    assert "ended the Python process" in lost["circle"]
    assert "SystemExit" in lost["center_of_mass"]
    assert "no 'worst_error'" in lost["worst_error"]
    assert "MemoryError" in lost["spectrum"]


def test_megabytes_of_output_are_cut_and_the_mark_stays(hostile):
    out, results = hostile
    assert set(marks(results["noisy"])) == {"center_of_mass"}
    assert (out / "feedback" / "noisy" / f"{FIRST}.html").stat().st_size < 2_000_000


def test_a_renamed_function_is_missed_by_its_name(hostile):
    assert "there is no 'center_of_mass'" in marks(hostile[1]["noisy"])["center_of_mass"]


def test_no_process_is_left_behind(hostile):
    assert hostile[1]["noisy"]["tasks"]
    left = [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]
    assert left == []


def test_deleted_tests_are_put_back(hostile):
    result = hostile[1]["deletes"]
    assert grade.total(result) == sum(machine_tasks(FIRST).values())
    assert any("was put back" in note for note in result["notes"])


def test_edited_tests_and_tests_of_ones_own_count_for_nothing(hostile):
    result = hostile[1]["edits"]
    assert set(marks(result)) == {"circle"}
    assert {
        t["task"]: t["possible"] for t in result["tasks"] if t["mark"] is not None
    } == machine_tasks(FIRST)


@pytest.mark.parametrize("student", [*NOT_NOTEBOOKS, "bytes"])
def test_what_is_no_notebook_gets_nothing_and_a_reason(student, hostile):
    result = hostile[1][student]
    assert grade.total(result) == 0
    assert re.search("is not a Jupyter notebook|has no cells", result["notes"][0])
    assert len(result["tasks"]) >= len(machine_tasks(FIRST))


def test_a_file_of_another_name_is_named(hostile):
    assert "my homework.docx is not the name of an assignment" in hostile[1]["word"]["notes"][0]


def test_no_submission_stops_the_others(hostile):
    assert set(hostile[1]) == {*HOSTILE, *NOT_NOTEBOOKS, "deletes", "edits", "word", "bytes"}


def test_grading_needs_a_folder(capsys):
    with pytest.raises(SystemExit):
        grade.main(["no-such-folder"])
    assert "no-such-folder is not a folder" in capsys.readouterr().err


def test_text_in_tables_is_no_formula():
    assert grade.safe("=1+1") == "'=1+1"
    assert grade.safe("ada") == "ada"
