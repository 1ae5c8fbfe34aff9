"""Make what students get.

    python -m grading release [FOLDER]    (by default student/)

The folder holds the assignments as notebooks without solutions, hidden tests and mark schemes, and
the library, so that it can be handed out alone. A source that would let one of these through is
refused, and then nothing is written.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors

from grading.assignments import ROOT, Assignment, is_answer, is_test, names, read_source
from sbd_utils.files import write_text

LIBRARY = ["sbd_utils", "pyproject.toml", "constraints.txt", "LICENSE"]
WELCOME = """# Assignments

Python 3.11 or newer, then, in this folder: `python -m pip install -c constraints.txt -e '.[lab]'`
and `jupyter lab`.

Write only in the cells that say NotImplementedError, or "Your answer"; add cells of your own, code
or text, where you like. The check below each task tells you at once what is wrong, and more checks
are made when it is graded. Before you hand in: *Restart the kernel and run all cells*. Hand in the
notebook file under the name it has.
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
    """Write the folder for students; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "student")
    folder: Path = parser.parse_args(arguments).folder
    notebooks = {}
    for name in names():
        try:
            notebooks[name] = student_version(read_source(name))
        except (LeftoverError, RuntimeError) as error:
            print(f"{name}: {error}\nnothing was written", file=sys.stderr)
            return 1
    for name, notebook in notebooks.items():
        path = write_text(folder / f"{name}.ipynb", nbformat.writes(notebook) + "\n")
        print(path)
    for name in LIBRARY:
        _copy(ROOT / name, folder / name)
    write_text(folder / "README.md", WELCOME)
    return 0


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=caches, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
