"""The notebooks as files: complete, in step with their texts, readable by everyone; solutions that run.

That a notebook computes what is stored in it, nbval tests.
"""

import ast
import base64
import json
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.compare import compare_notebooks

from tools.notebooks import notebook_texts

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
FILES = [path for pattern in ("[0-9]*", "appendix/[0-9]*") for path in FOLDER.glob(pattern)]
STEMS = sorted(
    {
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in FILES
        if path.suffix in (".py", ".ipynb")
    }
)
COURSE = [stem for stem in STEMS if "/" not in stem]
APPENDIX = [stem for stem in STEMS if "/" in stem]
LONGEST_CELL = 40  # lines: one screen
NOTHING_YET = "nothing is written yet"  # what a check says of an exercise that is not done
LONGEST_IMPORTS = 6  # lines
LARGEST_FILE = 2_000_000  # bytes
HUNG = 7200  # seconds: no notebook takes that long, however busy the machine is
OPTIONAL = [
    "safetensors",
    "tqdm",
    "ipywidgets",
    "accelerate",
    "jupytext",
]  # not needed to work through 01 and 02

each_notebook = pytest.mark.parametrize("stem", STEMS)

BACKWARDS = ("ipyp", "detsohnohtyp", "sjmpn")  # so that this file names none
REGISTRY = rf"({'|'.join(name[::-1] for name in BACKWARDS)})[.](org|com)"
"""A registry's host."""


def read(stem: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4)


def code_cells(stem: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(stem).cells if cell.cell_type == "code"]


def prose(stem: str) -> str:
    return "\n\n".join(cell.source for cell in read(stem).cells if cell.cell_type == "markdown")


def test_the_course_begins_at_zero_and_has_no_gap():
    assert COURSE, f"no notebook in {FOLDER}"
    assert [int(stem[:2]) for stem in COURSE] == list(range(len(COURSE)))


def test_an_appendix_has_the_number_of_the_notebook_it_belongs_to():
    assert {Path(stem).name[:2] for stem in APPENDIX} <= {stem[:2] for stem in COURSE}


def test_every_notebook_is_written_anew_and_executed():
    written = [text.relative_to(FOLDER).with_suffix("").as_posix() for text in notebook_texts()]
    assert written == [*COURSE, *APPENDIX]


@each_notebook
def test_text_and_notebook_are_in_step(stem):
    text, notebook = jupytext.read(FOLDER / f"{stem}.py"), read(stem)
    compare_notebooks(
        notebook, text, fmt="py", allow_expected_differences=True, compare_outputs=False
    )


@each_notebook
def test_no_reader_of_a_notebook_writes_into_its_text(stem):
    """JupyterLab with jupytext keeps two files in step if one names the other: neither does."""
    assert "jupytext" not in read(stem).metadata
    header = jupytext.read(FOLDER / f"{stem}.py").metadata["jupytext"]
    assert header.keys() == {"text_representation"}


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
    """As it is shown; the file has twice as many pixels a side, for sharp screens."""
    for cell in code_cells(stem):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                png = base64.b64decode(output.data["image/png"])
                pixels = struct.unpack(">II", png[16:24])
                shown = output.metadata["image/png"]
                width, height = shown["width"], shown["height"]
                assert (width, height) == (pixels[0] // 2, pixels[1] // 2)
                assert max(width, height) <= 1400, f"{width} x {height}; the cell:\n{cell.source}"


@each_notebook
def test_no_file_is_too_large_to_open_on_a_page(stem):
    assert (FOLDER / f"{stem}.ipynb").stat().st_size < LARGEST_FILE


@each_notebook
def test_the_first_cell_imports_little_and_finds_the_library_first(stem):
    """The other names are imported where they are first used."""
    source = code_cells(stem)[0].source
    imports = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert sum(node.end_lineno - node.lineno + 1 for node in imports) <= LONGEST_IMPORTS
    first = imports[0]
    assert isinstance(first, ast.Import)
    assert [alias.name for alias in first.names] == ["course"]


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


def exercise_cells(stem: str) -> list[str]:
    """The sources of the code cells between the headings Exercises and What comes next."""
    sources: list[str] = []
    within = False
    for cell in read(stem).cells:
        if cell.cell_type == "code" and within:
            sources.append(cell.source)
        elif "## Exercises" in cell.source:
            within = True
        elif "## What comes next" in cell.source:
            within = False
    return sources


def last_statement(source: str) -> str:
    return ast.get_source_segment(source, ast.parse(source).body[-1])


@each_notebook
def test_every_exercise_has_a_cell_to_write_in_and_a_check(stem):
    cells = exercise_cells(stem)
    assert len(cells) == len(solutions(stem))
    for source in cells:
        assert "..." in source
        assert last_statement(source).startswith("checks.")
    for cell in code_cells(stem):
        if cell.source in cells:
            [said] = cell.outputs
            assert said.text.startswith(NOTHING_YET)


@each_notebook
def test_a_question_stands_before_what_answers_it(stem):
    """Three or four "Predict:" with an answer that folds out, each followed by code."""
    cells = read(stem).cells
    asking = [i for i, cell in enumerate(cells) if "**Predict:**" in cell.source]
    assert 3 <= len(asking) <= 5
    for i in asking:
        assert cells[i].cell_type == "markdown"
        question, answer = cells[i].source.split("**Predict:**")[1].split("<details>")
        assert question.count("?") >= 1
        assert answer.startswith("<summary>Answer</summary>\n\n")
        assert answer.rstrip().endswith("</details>")
        assert cells[i + 1].cell_type == "code"


STOPS = {"03": 650, "09": 500}
"""After so many updates: when whole images have begun; and in the middle of the blocks of 4."""


@each_notebook
def test_cells_and_solutions_run_from_a_plain_clone(stem):
    """Where sbd_utils is not installed; 01 and 02 without the optional packages too, their widgets apart.

    A solution must satisfy the check at the end of the exercise's cell. Trainings that nbval sees to
    their ends are stopped before.
    """
    bare = stem.startswith(("01", "02"))
    cells = [
        cell.source
        for cell in code_cells(stem)
        if not (bare and "widget" in cell.metadata.get("tags", []))
    ]
    number = stem[:2]
    if number in STOPS:
        cells = with_a_stop(cells, STOPS[number])
    checked = [last_statement(source) for source in exercise_cells(stem)]
    answers = [f"{a}\n{check}" for a, check in zip(solutions(stem), checked, strict=True)]
    folder = (FOLDER / stem).parent
    run = run_cells(cells, answers, OPTIONAL if bare else [], folder)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert run.stdout.count("the stop button is pressed") == (number in STOPS)
    assert ("Stopped after 65" in run.stdout) == (number == "03")
    assert run.stdout.count(NOTHING_YET) == len(checked)  # of the notebook's own cells
    assert run.stdout.count(": the check found nothing wrong.\n") == len(checked)


def run_cells(
    cells: list[str], solutions: list[str], missing: list[str], folder: Path = FOLDER
) -> subprocess.CompletedProcess:
    """The cells, then each solution, in a process of their own; see run_cells.py."""
    return subprocess.run(
        [sys.executable, ROOT / "tests" / "run_cells.py"],
        input=json.dumps({"cells": cells, "solutions": solutions, "missing": missing}),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=HUNG,
    )


# What a notebook says when something is missing or was stopped


@each_notebook
def test_alone_in_a_folder_it_says_where_it_belongs(stem, tmp_path):
    run = run_cells([code_cells(stem)[0].source], [], [], tmp_path)
    assert run.returncode == 1
    told = run.stdout + run.stderr
    assert (
        "import course  # the file beside this notebook: open both in a clone of the course" in told
    )
    assert "No module named 'course'" in told


def test_outside_a_clone_it_says_where_to_open_it(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(FOLDER / "course.py", folder)
    run = run_cells([code_cells(STEMS[0])[0].source], [], [], folder)
    assert run.returncode == 1
    sentence = "open the notebooks where they lie in a clone of the course"
    assert sentence in run.stdout + run.stderr
    assert "StopIteration" not in run.stdout + run.stderr


@pytest.mark.parametrize(("package", "extra"), [("torch", "lab"), ("matplotlib", "lab")])
def test_a_package_that_is_missing_is_named_with_what_to_do(package, extra):
    run = run_cells(["import course"], [], [package])
    assert run.returncode == 1
    told = run.stdout + run.stderr
    assert f"this notebook needs the package {package}, which is not installed: run" in told
    assert f"`pip install -e '.[{extra}]'`" in told


def test_the_explorer_without_its_package_says_what_to_do():
    (stem,) = (stem for stem in STEMS if stem.startswith("06"))
    run = run_cells([cell.source for cell in code_cells(stem)], [], ["anywidget"])
    assert run.returncode == 1
    told = run.stdout + run.stderr
    assert "this notebook needs the package anywidget, which is not installed: run" in told
    assert "`pip install -e '.[explore]'`" in told


def test_training_that_was_stopped_is_looked_at_all_the_same():
    """The stop button after 50 updates, then every cell that looks at the trained network."""
    (stem,) = (stem for stem in STEMS if stem.startswith("03"))
    cells = with_a_stop([cell.source for cell in code_cells(stem)], 50)
    (after,) = (i for i, source in enumerate(cells) if "def short_run(" in source)
    run = run_cells(cells[:after], [], [])
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    assert re.search(r"Stopped after 5[01] of 1300 updates\.", run.stdout)


def with_a_stop(cells: list[str], updates: int) -> list[str]:
    """The cells with the stop button pressed after so many updates of what is watched."""
    (training,) = (i for i, source in enumerate(cells) if "callback=watch" in source)
    press = (
        "def watch_and_stop(model, history):\n"
        "    import signal\n"
        "    watch(model, history)\n"
        f"    if len(history.seconds) == {updates}:  # it is called once more at the end\n"
        "        print('the stop button is pressed')\n"
        "        signal.raise_signal(signal.SIGINT)\n"
    )
    before = f"{cells[training - 1]}\n\n\n{press}"
    stopped = cells[training].replace("callback=watch", "callback=watch_and_stop")
    return [*cells[: training - 1], before, stopped, *cells[training + 1 :]]


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
        found = found or re.search(rf"{REGISTRY}|--(extra-)?index-url \S*simple", content)
        if found:
            told[str(path.relative_to(ROOT))] = found[0]
    assert not told
