"""Make what students get: python -m grading release [FOLDER]   (by default student/)

The folder holds the assignments as notebooks without solutions, hidden tests and mark schemes, and the library, so that
it can be handed out alone. A source that would let one of these through is refused, and then nothing is written.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import jupytext
import nbformat
from nbgrader import preprocessors

SOURCES = Path(__file__).resolve().parents[1] / "notebooks" / "assignments"
ROOT = SOURCES.parents[1]
LIBRARY = ["sbd_utils", "pyproject.toml", "constraints.txt", "LICENSE"]
WELCOME = """# Assignments

Python 3.11 or newer, then, in this folder: `python -m pip install -c constraints.txt -e '.[lab]'` and `jupyter lab`.

Write only in the cells that say NotImplementedError, or "Your answer"; add cells of your own where you like. The check
below each task tells you at once what is wrong, and more checks are made when it is graded. Before you hand in: *Restart
the kernel and run all cells*. Hand in the notebook file under the name it has.
"""


class ClearSolutions(preprocessors.ClearSolutions):
    """nbgrader's, with the sentence after the marker in the stub: `### BEGIN SOLUTION: what is to be done`."""

    text_stub = "*Your answer:*"

    def preprocess_cell(self, cell, resources, index):
        sentence = re.search(r"### BEGIN SOLUTION: (.+)", cell.source)
        if sentence and cell.cell_type == "code":
            self.code_stub = {"python": f"raise NotImplementedError({sentence[1].strip()!r})"}
        return super().preprocess_cell(cell, resources, index)


class LeftoverError(ValueError):
    """A source would hand out what students must not see."""


def names() -> list[str]:
    """The assignments, by their sources' stems."""
    return sorted(path.stem for path in SOURCES.glob("[0-9]_*.py"))


def read_source(name: str) -> nbformat.NotebookNode:
    """The notebook with solutions and all tests; every cell's id is its nbgrader grade_id, where it has one."""
    notebook = jupytext.read(SOURCES / f"{name}.py")
    for number, cell in enumerate(notebook.cells):
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell-{number}")
    notebook.metadata.pop("jupytext", None)
    return notebook


def student_version(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook that students get. Raises LeftoverError, naming the cell, if something would be left in."""
    for cell in notebook.cells:
        _check_markers(cell)
    steps = [
        "LockCells",
        ClearSolutions,
        "ClearOutput",
        "CheckCellMetadata",
        "ClearHiddenTests",
        "ClearMarkScheme",
    ]
    for step in [*steps, "ComputeChecksums"]:
        step = getattr(preprocessors, step) if isinstance(step, str) else step
        notebook, _ = step().preprocess(notebook, {"nbgrader": {}})
    for cell in notebook.cells:
        found = re.search(
            r"###|hidden.?test" if cell.cell_type == "code" else r"===|(?-i:\bBEGIN\b)|mark scheme",
            cell.source,
            re.I,
        )
        if found:
            raise LeftoverError(f"cell {cell.id}: {found[0]!r} would be left in")
    return notebook


def _check_markers(cell) -> None:
    """Every code solution and every graded test must have a marked region to take out."""
    kind = cell.metadata.get("nbgrader", {})
    if (
        cell.cell_type == "code"
        and kind.get("solution")
        and not re.search(r"### BEGIN SOLUTION: \S", cell.source)
    ):
        raise LeftoverError(
            f"cell {cell.id}: a solution without the line '### BEGIN SOLUTION: what is to be done'"
        )
    test = cell.cell_type == "code" and kind.get("grade") and not kind.get("solution")
    if test and "### BEGIN HIDDEN TESTS" not in cell.source:
        raise LeftoverError(
            f"cell {cell.id}: a graded test without the line '### BEGIN HIDDEN TESTS'"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "student")
    folder = parser.parse_args(arguments).folder
    notebooks = {}
    for name in names():
        try:
            notebooks[name] = student_version(read_source(name))
        except (LeftoverError, RuntimeError) as error:
            print(f"{name}: {error}\nnothing was written", file=sys.stderr)
            return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
        print(f"{folder / name}.ipynb")
    for name in LIBRARY:
        copy_library(ROOT / name, folder / name)
    (folder / "README.md").write_text(WELCOME)
    return 0


def copy_library(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(
            source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
