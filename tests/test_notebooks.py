"""The notebooks as files: complete, in step with their texts, readable by everyone; solutions that run.

That a notebook computes what is stored in it, nbval tests.
"""

import base64
import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.compare import compare_notebooks

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
STEMS = sorted({path.stem for path in [*FOLDER.glob("*.py"), *FOLDER.glob("*.ipynb")]})
LONGEST_CELL = 40  # lines: one screen
OPTIONAL = [
    "safetensors",
    "tqdm",
    "ipywidgets",
    "accelerate",
    "jupytext",
]  # not needed to work through 01 and 02

each_notebook = pytest.mark.parametrize("stem", STEMS)


def read(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)


def code_cells(stem: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(stem).cells if cell.cell_type == "code"]


def prose(stem: str) -> str:
    return "\n\n".join(cell.source for cell in read(stem).cells if cell.cell_type == "markdown")


def test_the_course_begins_at_zero_and_has_no_gap():
    assert STEMS, f"no notebook in {FOLDER}"
    assert [int(stem[:2]) for stem in STEMS] == list(range(len(STEMS)))


@each_notebook
def test_text_and_notebook_are_in_step(stem):
    text, notebook = jupytext.read(FOLDER / f"{stem}.py"), read(stem)
    compare_notebooks(
        notebook, text, fmt="py", allow_expected_differences=True, compare_outputs=False
    )


@each_notebook
def test_stored_from_one_complete_run(stem):
    cells = code_cells(stem)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    errors = [output for cell in cells for output in cell.outputs if output.output_type == "error"]
    assert not errors


@each_notebook
def test_every_picture_has_a_text_for_those_who_cannot_see_it(stem):
    for cell in code_cells(stem):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt.split()) >= 3, (
                    f"the picture has alt text {alt!r}; its cell:\n{cell.source}"
                )


@each_notebook
def test_no_picture_is_larger_than_a_page(stem):
    for cell in code_cells(stem):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                width, height = struct.unpack(
                    ">II", base64.b64decode(output.data["image/png"])[16:24]
                )
                assert width <= 1400, f"{width} x {height} pixels; the cell:\n{cell.source}"
                assert height <= 1400, f"{width} x {height} pixels; the cell:\n{cell.source}"


@each_notebook
def test_no_cell_is_longer_than_a_screen(stem):
    for cell in code_cells(stem):
        lines = len(cell.source.splitlines())
        assert lines <= LONGEST_CELL, f"{lines} lines, from: {cell.source.splitlines()[0]}"


@each_notebook
def test_opens_with_what_a_reader_decides_by(stem):
    first = read(stem).cells[0].source
    assert re.match(r"# \S", first)
    for pattern in ("You will be able to", "You need", r"Time\W+\d+ min"):
        assert re.search(pattern, first), f"{pattern!r} is not in the first cell"


@each_notebook
def test_ends_with_what_holds_and_what_does_not(stem):
    headings = re.findall(r"^## (.+?)\s*$", prose(stem), re.MULTILINE)
    assert headings[-4:] == [
        "What we established",
        "What could be wrong with it",
        "Exercises",
        "What comes next",
    ]


def exercises(stem: str) -> str:
    return prose(stem).split("\n## Exercises", 1)[-1].split("\n## What comes next", 1)[0]


def solutions(stem: str) -> list[str]:
    """The code of each solution; empty where a solution is in words."""
    folded = re.findall(
        r"<details>\s*<summary>Solution.*?</summary>(.*?)</details>", exercises(stem), re.DOTALL
    )
    return [
        "\n".join(re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
        for text in folded
    ]


@each_notebook
def test_every_exercise_has_a_folded_solution(stem):
    asked = re.sub(r"<details>.*?</details>", "SOLUTION", exercises(stem), flags=re.DOTALL)
    tasks = re.split(
        r"^(?:\*\*(?:Exercise )?\d+|#+ (?:Exercise )?\d+|\d+\. )", asked, flags=re.MULTILINE
    )[1:]
    assert len(tasks) >= 3
    assert all(task.count("SOLUTION") == 1 for task in tasks)
    assert len(solutions(stem)) == len(tasks)
    assert any(solutions(stem))


@each_notebook
def test_cells_and_solutions_run_from_a_plain_clone(stem):
    """Where sbd_utils is not installed; 01 and 02 without the optional packages too, their widgets apart."""
    bare = stem.startswith(("01", "02"))
    cells = [
        cell.source
        for cell in code_cells(stem)
        if not (bare and "widget" in cell.metadata.get("tags", []))
    ]
    task = {"cells": cells, "solutions": solutions(stem), "missing": OPTIONAL if bare else []}
    run = subprocess.run(
        [sys.executable, ROOT / "tests" / "run_cells.py"],
        input=json.dumps(task),
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def test_no_file_tells_of_the_machine_it_was_made_on():
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    assert ROOT / "pyproject.toml" in files
    told = {}
    for path in files:
        content = (
            path.read_bytes().decode("latin-1") if path.is_file() else ""
        )  # deleted, not yet committed
        if path.suffix == ".ipynb":
            content = re.sub(r'"image/png": "[^"]*"', "", content)
        found = re.search(
            r"""(?<![\w.<)}*-])/(home|root|Users|work|tmp|opt|mnt|var)/\w+""", content
        )
        found = found or re.search(
            r"(pypi|pythonhosted|npmjs)\.(org|com)|--(extra-)?index-url \S*simple", content
        )
        if found:
            told[str(path.relative_to(ROOT))] = found[0]
    assert not told
