"""Write notebooks anew from their text files and execute them.

    python -m tools.notebooks [notebooks/NN_name.py ...]

Without arguments, every notebook. The text beside a notebook is its source, and only this program
knows that the two belong together: the notebook itself does not say so, lest a reader's JupyterLab
should write into both. A notebook that fails leaves its old .ipynb as it was, and the exit status
is 1. Executing an unchanged notebook again changes nothing in its file but the outputs that differ.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

from sbd_utils.files import write_text

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"

CELL_TIMEOUT = 3600
"""Seconds after which a cell counts as hung: far more than training takes on a busy machine."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("texts", nargs="*", type=Path, metavar="notebooks/NN_name.py")
    texts = parser.parse_args(arguments).texts or notebook_texts()
    for text in texts:
        if text.suffix != ".py" or not text.is_file():
            parser.error(f"{text} is not the text file (.py) of a notebook")
    failed = [str(text) for text in texts if not write_notebook(text)]
    if failed:
        print("failed, and left as before:", *failed, file=sys.stderr)
    return int(bool(failed))


def notebook_texts() -> list[Path]:
    """The text of every notebook, then of the appendix; other modules may lie beside them."""
    folders = (FOLDER, FOLDER / "appendix")
    return [text for folder in folders for text in sorted(folder.glob("[0-9][0-9]_*.py"))]


def write_notebook(text: Path) -> bool:
    """Execute the notebook of one text file, and write it if every cell ran.

    Returns:
        Whether it did.
    """
    notebook = jupytext.read(text)
    number_cells(notebook)
    print(f"{text}: ", end="", flush=True)
    start = time.perf_counter()
    if not _execute(notebook, text.resolve().parent):
        return False
    content = jupytext.writes(make_stable(notebook), fmt="ipynb")
    write_text(text.with_suffix(".ipynb"), content.rstrip("\n") + "\n")
    seconds = time.perf_counter() - start
    print(f"{len(notebook.cells)} cells in {seconds:.0f} s", flush=True)
    return True


def _execute(notebook: nbformat.NotebookNode, folder: Path) -> bool:
    """Run every cell in a fresh kernel in that folder; a cell that fails is named."""
    running = [0]
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # where a stream is cut depends on timing
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: running.append(cell_index),
    )
    try:
        client.execute()
    except (CellControlSignal, DeadKernelError) as error:
        # A cell raised or took too long; or the kernel died.
        number = running[-1]
        first_line = notebook.cells[number].source.partition("\n")[0]
        print(f"cell {number} failed, the one that begins with\n    {first_line}\n{error}")
        return False
    return True


def number_cells(notebook: nbformat.NotebookNode) -> None:
    """Give every cell an id that depends on its source alone.

    So an edit elsewhere does not change it.
    """
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        occurrence = seen[cell.source] = seen.get(cell.source, -1) + 1
        cell.id = hashlib.sha256(f"{occurrence} {cell.source}".encode()).hexdigest()[:8]


def make_stable(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what tells a reader nothing.

    That is what differs from run to run or from machine to machine, and how the text is written.
    """
    notebook.metadata.pop("language_info", None)  # the Python version
    notebook.metadata.pop("jupytext", None)
    content = nbformat.writes(notebook)
    for number, random_id in enumerate(_widget_ids(notebook)):
        content = content.replace(random_id, hashlib.sha256(str(number).encode()).hexdigest()[:32])
    return nbformat.reads(content, as_version=4)


def _widget_ids(notebook: nbformat.NotebookNode) -> list[str]:
    """The random ids of the notebook's widgets, in the order of their creation."""
    widgets = notebook.metadata.get("widgets", {})
    return list(widgets.get("application/vnd.jupyter.widget-state+json", {}).get("state", {}))


if __name__ == "__main__":
    sys.exit(main())
