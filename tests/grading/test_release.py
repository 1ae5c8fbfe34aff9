"""The sources of the assignments, and what students get of them."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import grading
from grading import assignments, release
from tests.grading.helpers import NAMES, machine_tasks, released

ROOT = assignments.ROOT

each_assignment = pytest.mark.parametrize("name", NAMES)


def text(notebook) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def test_there_are_five():
    assert [name[0] for name in NAMES] == ["1", "2", "3", "4", "5"]


@each_assignment
def test_marks_add_up_and_are_shown(name):
    cells = [cell for cell in assignments.read_source(name).cells if assignments.is_graded(cell)]
    assert sum(cell.metadata["nbgrader"]["points"] for cell in cells) == 25
    first = assignments.read_source(name).cells[0].source
    assert "**Marks**: 25" in first
    assert "**Time**" in first
    shown = [
        int(marks)
        for marks in re.findall(r"^## Task \d .*\((\d+) marks", text(released(name)), re.MULTILINE)
    ]
    assert shown[: len(machine_tasks(name))] == list(machine_tasks(name).values())


@each_assignment
def test_students_get_no_line_of_a_solution_and_no_test_that_is_hidden(name):
    source, given = assignments.read_source(name), text(released(name))
    region = r"### BEGIN (?:SOLUTION|HIDDEN TESTS)[^\n]*\n(.*?)### END"
    written = [
        cell
        for cell in source.cells
        if assignments.is_graded(cell) and cell.cell_type == "markdown"
    ]
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
    original = assignments.read_source

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
    assert Path(where_imports_find_the_library(tmp_path)).is_relative_to(tmp_path)
    everything = "".join(
        path.read_text(encoding="utf-8")
        for path in tmp_path.rglob("*")
        if path.suffix in {".py", ".ipynb", ".md"}
    )
    assert "BEGIN SOLUTION" not in everything
    assert "HIDDEN TESTS" not in everything


def where_imports_find_the_library(folder: Path, **environment: str) -> str:
    """Run the first cell of code of every assignment, as students got it, in a folder."""
    cells = [next(c for c in released(name).cells if c.id == "imports").source for name in NAMES]
    code = "\n".join([*cells, "print(sbd_utils.__file__)"])
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "", **environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_the_imports_work_wherever_the_library_is_installed(tmp_path):
    """Outside of every clone, in a folder that holds nothing else."""
    (tmp_path / "alone").mkdir()
    found = where_imports_find_the_library(tmp_path / "alone", PYTHONPATH=str(ROOT))
    assert Path(found).is_relative_to(ROOT)


def test_students_are_told_how_to_set_up_what_may_be_used_and_how_to_run_one_task(tmp_path):
    assert release.main([str(tmp_path)]) == 0
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    without_cuda = re.search(r"--index-url (\S+/cpu)", text)
    assert without_cuda
    assert without_cuda[1] in makefile, "the same build as in a clone"
    for package in ["torch", "numpy", "matplotlib", "pillow"]:
        assert re.search(rf"there when your work is graded: Python's own, .*{package}", text)
    assert "**One task alone**: run the first cell of code" in text
    assert "{" not in text


@each_assignment
def test_each_task_runs_alone_after_the_imports(name):
    """What the README tells students: the first cell of code, then what stands below the task's heading."""
    run = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=json.dumps(tasks_alone(name)),
        cwd=assignments.SOURCES,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.count("the check found nothing wrong") >= len(machine_tasks(name))


ALONE = "import json, sys\nfor code in json.load(sys.stdin): exec(code, {'__name__': '__main__'})"


def tasks_alone(name: str) -> list[str]:
    """For each task the imports, and the cells from its heading down to its visible check."""
    source = assignments.read_source(name)
    imports = next(cell.source for cell in source.cells if cell.id == "imports")
    tasks, below = [], []
    for cell in source.cells:
        if re.search(r"^## Task", cell.source, re.MULTILINE):
            below = []
        if cell.cell_type == "code" and not assignments.is_not_run(cell):
            below.append(assignments.HIDDEN.sub("", cell.source))
        if assignments.is_test(cell):
            tasks.append("\n".join([imports, *below]))
    return tasks


@each_assignment
def test_sources_run_from_beginning_to_end(name):
    """Pictures and experiments included, which grading leaves out; the experiment with three updates a run."""
    cells = [
        cell.source for cell in assignments.read_source(name).cells if cell.cell_type == "code"
    ]
    if name.startswith("4"):
        assert sum("STEPS, SEEDS = 800," in source for source in cells) == 1
        cells = [source.replace("STEPS, SEEDS = 800,", "STEPS, SEEDS = 3,") for source in cells]
    run = subprocess.run(
        [sys.executable, ROOT / "tests" / "run_cells.py"],
        input=json.dumps({"cells": cells, "solutions": [], "missing": []}),
        cwd=assignments.SOURCES,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1800,  # to end a hang
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def imported(tree: ast.AST) -> set[str]:
    """Modules that a source imports, in functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def test_checks_import_nothing_of_the_library():
    sources = sorted((ROOT / "sbd_utils" / "checks").glob("*.py"))
    assert {"kit", *(name[2:] for name in NAMES)} <= {path.stem for path in sources}
    for path in sources:
        for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
            assert not module.startswith((".", "sbd_utils")) or module.startswith(
                "sbd_utils.checks"
            ), (path.name, module)


BESIDE_ANSWERS = {"kernel": ["sbd_utils.checks", "sbd_utils.checks.kit"], "judge": ["sbd_utils"]}
"""What a room needs of the library besides its files, where students' answers or tests run."""
ROOMS = re.findall(r"^\| `(\w+)` \|", grading.__doc__, re.MULTILINE)


def test_the_grader_imports_downwards_and_of_the_library_files_alone():
    sources = {path.stem: path for path in Path(grading.__file__).parent.glob("*.py")}
    assert set(ROOMS) == set(sources) - {"__init__", "__main__"}
    for number, room in enumerate(ROOMS):
        tree = ast.parse(sources[room].read_text(encoding="utf-8"))
        above = {f"grading.{name}" for name in ROOMS[:number]}
        for module in imported(tree) - {"grading"}:
            if module.startswith("grading"):
                assert module in above, (room, module)
            if module.startswith("sbd_utils") and module != "sbd_utils.files":
                assert module in BESIDE_ANSWERS.get(room, []), (room, module)


@pytest.mark.parametrize("room", ROOMS)
def test_what_windows_lacks_is_imported_where_it_is_used(room):
    tree = ast.parse((Path(grading.__file__).parent / f"{room}.py").read_text(encoding="utf-8"))
    at_the_top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in at_the_top:
        assert not imported(node) & {"resource", "fcntl", "pwd", "grp", "pty", "termios"}
