"""The first cell of each assignment, where the library lies in a clone, beside the notebook, or installed."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest

from tests.grading.answers import SOURCES

ROOT = SOURCES.parents[1]
NAMES = sorted(path.stem for path in SOURCES.glob("[0-9]_*.py"))
WHERE = "\nimport sbd_utils\nprint(sbd_utils.__file__)"


def imports(name: str) -> str:
    """The source of the first code cell."""
    return next(
        c.source for c in jupytext.read(SOURCES / f"{name}.py").cells if c.cell_type == "code"
    )


def found_from(folder: Path, code: str, path: str = "") -> Path:
    """The library that a kernel started in a folder would import, as `python -c` does."""
    variables = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg"}
    run = subprocess.run(
        [sys.executable, "-c", code + WHERE],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return Path(run.stdout.strip()).resolve().parents[1]


def prelude(name: str) -> str:
    """What stands before the first import of a library."""
    return re.split(r"^import (?:math|numpy|torch)", imports(name), flags=re.MULTILINE)[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_student_reads_at_most_six_lines_before_the_imports(name):
    assert prelude(name) != imports(name)
    assert len(prelude(name).strip().splitlines()) <= 6


def test_a_clone_uses_its_own_library():
    assert found_from(SOURCES, imports(NAMES[0])) == ROOT


def test_a_folder_for_students_uses_the_library_beside_the_notebook(tmp_path):
    shutil.copytree(
        ROOT / "sbd_utils", tmp_path / "sbd_utils", ignore=shutil.ignore_patterns("__pycache__")
    )
    assert found_from(tmp_path, prelude(NAMES[1])) == tmp_path.resolve()


def test_elsewhere_the_installed_library_is_used(tmp_path):
    """Installed, as far as Python can tell: on its path."""
    assert found_from(tmp_path, prelude(NAMES[2]), str(ROOT)) == ROOT


def test_where_there_is_no_library_python_says_which_is_missing(tmp_path):
    hidden = "import sys\nsys.modules['sbd_utils'] = None\n"
    run = subprocess.run(
        [sys.executable, "-c", hidden + imports(NAMES[3])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert "ModuleNotFoundError" in run.stderr.splitlines()[-1]
    assert "sbd_utils" in run.stderr.splitlines()[-1]
