"""Make what students get.

    python -m grading release [FOLDER]              (by default student/)
    python -m grading release --nbgrader FOLDER     (a course for nbgrader, solutions included)

The folder holds the assignments as notebooks without solutions, hidden tests and mark schemes, and
the library, so that it can be handed out alone. A source that would let one of these through is
refused, and then nothing is written. With --nbgrader, it is what nbgrader's own commands begin
with: `source/` and a configuration.
"""

import argparse
import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors

from grading.assignments import ROOT, Assignment, is_answer, is_test, names, read_source
from sbd_utils.files import read_text, write_text

LIBRARY = ["sbd_utils", "pyproject.toml", "constraints.txt", "LICENSE"]
WELCOME = """# Assignments

Five notebooks, and the library that they use. Each says how long it takes and what it is marked by.

## Set up, once

Python 3.11 or newer. In this folder:

    python -m venv .venv
    . .venv/bin/activate
    python -m pip install -c constraints.txt torch --index-url https://download.pytorch.org/whl/cpu
    python -m pip install -c constraints.txt -e ".[lab]"
    jupyter lab

The second line is `.venv\\Scripts\\activate` on Windows. The third brings PyTorch without CUDA: on
Linux, pip would else bring several gigabytes of it. Leave the line out if you want to use an NVIDIA
card; nothing here needs one. Next time, the second and the last line are enough.

## Work on a task

- Write only in the cells that say NotImplementedError, or "Your answer"; add cells of your own,
  code or text, where you like. Keep the names of functions and arguments.
- **One task alone**: run the first cell of code, which imports, then the cells below the task's
  heading, down to its check. Nothing else has to run first. After a mistake that you cannot
  explain, restart the kernel and run these again.
- The check says at once what is wrong, and more checks are made when your work is graded.
- **Packages** that are there when your work is graded: Python's own, {packages}, and `sbd_utils`,
  but for the function that a task asks for. What else you install may be missing then; so may the
  network.

## Hand in

*Restart the kernel and run all cells*, save, and hand in each notebook file under the name that it
has: not an archive, not a PDF. Of two files for one assignment, the one with that name counts.
"""
NBGRADER = """\"\"\"What nbgrader needs to know of this course.\"\"\"

import os

from nbgrader import preprocessors

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "sbd"
c.ClearSolutions.text_stub = "*Your answer:*"
c.Execute.timeout = 300
# Whatever stands on standard error costs a test its marks: keep warnings and bars off it.
os.environ.update(PYTHONWARNINGS="ignore", TQDM_DISABLE="1")
# Experiments that train for minutes are not run again: their output is what was handed in.
c.Execute.skip_cells_with_tag = "not-run-for-grading"
c.Autograde.sanitize_preprocessors = [
    preprocessors.DeduplicateIds,
    preprocessors.OverwriteKernelspec,
    preprocessors.OverwriteCells,
    preprocessors.CheckCellMetadata,
]
"""
STEPS = [
    "LockCells",
    "ClearSolutions",
    "ClearOutput",
    "CheckCellMetadata",
    "ClearHiddenTests",
    "ClearMarkScheme",
    "ComputeChecksums",
]
"""nbgrader's preprocessors, in the order in which it runs them itself."""


class ClearSolutions(preprocessors.ClearSolutions):
    """nbgrader's, with the sentence after the marker, `### BEGIN SOLUTION: what is to be done`."""

    text_stub = "*Your answer:*"

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replace the solution by a stub that says what is to be done."""
        sentence = re.search(r"### BEGIN SOLUTION: (.+)", cell.source)
        if sentence and cell.cell_type == "code":
            self.code_stub = {"python": f"raise NotImplementedError({sentence[1].strip()!r})"}
        return super().preprocess_cell(cell, resources, index)


class LeftoverError(ValueError):
    """A source would hand out what students must not see."""


def read_assignment(name: str) -> Assignment:
    """An assignment with what students get of it. Raises LeftoverError as `student_version`."""
    return Assignment(name, read_source(name), student_version(read_source(name)))


def student_version(notebook: NotebookNode) -> NotebookNode:
    """Take out what students must not see.

    Args:
        notebook: From `read_source`; it is changed.

    Returns:
        The notebook that students get.

    Raises:
        LeftoverError: Something would be left in; the message names the cell.
        RuntimeError: nbgrader finds a marker without its end.
    """
    for cell in notebook.cells:
        _check_markers(cell)
    for name in STEPS:
        step = ClearSolutions if name == "ClearSolutions" else getattr(preprocessors, name)
        notebook, _ = step().preprocess(notebook, {"nbgrader": {}})
    for cell in notebook.cells:
        _check_nothing_is_left(cell)
    return notebook


def _check_markers(cell: NotebookNode) -> None:
    """Every code solution and every graded test must have a marked region to take out."""
    if cell.cell_type != "code":
        return
    if is_answer(cell) and not re.search(r"### BEGIN SOLUTION: \S", cell.source):
        missing = "'### BEGIN SOLUTION: what is to be done'"
        raise LeftoverError(f"cell {cell.id}: a solution without the line {missing}")
    if is_test(cell) and "### BEGIN HIDDEN TESTS" not in cell.source:
        missing = "'### BEGIN HIDDEN TESTS'"
        raise LeftoverError(f"cell {cell.id}: a graded test without the line {missing}")


def _check_nothing_is_left(cell: NotebookNode) -> None:
    in_code, in_text = r"###|hidden.?test", r"===|(?-i:\bBEGIN\b)|mark scheme"
    found = re.search(in_code if cell.cell_type == "code" else in_text, cell.source, re.I)
    if found:
        raise LeftoverError(f"cell {cell.id}: {found[0]!r} would be left in")


def main(arguments: list[str] | None = None) -> int:
    """Write the folder for students, or for nbgrader; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grading release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--nbgrader", action="store_true")
    options = parser.parse_args(arguments)
    if options.nbgrader and options.folder is None:
        parser.error("--nbgrader needs a folder: it will hold the solutions")
    released = {}
    for name in names():
        try:
            released[name] = student_version(read_source(name))
        except (LeftoverError, RuntimeError) as error:
            print(f"{name}: {error}\nnothing was written", file=sys.stderr)
            return 1
    try:
        if options.nbgrader:
            _write_course(options.folder)
        else:
            _write_for_students(options.folder or ROOT / "student", released)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _write_for_students(folder: Path, released: dict[str, NotebookNode]) -> None:
    for name, notebook in released.items():
        print(write_text(folder / f"{name}.ipynb", nbformat.writes(notebook) + "\n"))
    for library in LIBRARY:
        _copy(ROOT / library, folder / library)
    write_text(folder / "README.md", WELCOME.format(packages=", ".join(packages())))


def _write_course(folder: Path) -> None:
    """The sources and a configuration; nbgrader makes the students' version itself."""
    for name in names():
        path = folder / "source" / name / f"{name}.ipynb"
        print(write_text(path, nbformat.writes(read_source(name)) + "\n"))
    print(write_text(folder / "nbgrader_config.py", NBGRADER))


def packages() -> list[str]:
    """The packages that the library needs, and that are there when work is graded."""
    project = tomllib.loads(read_text(ROOT / "pyproject.toml"))["project"]
    return [re.split(r"[<>=!~ \[]", line)[0] for line in project["dependencies"]]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=caches, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
