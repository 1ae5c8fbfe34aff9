"""Write notebooks anew from their text files and execute them.

    python -m tools.notebooks [notebooks/NN_name.py ...]

Without arguments, every notebook. A notebook that fails leaves its old .ipynb as it was, and the exit status is 1.
Executing an unchanged notebook again changes nothing in its file but the outputs that differ.
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

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sbd_utils.files import write_atomically  # noqa: E402 (the path is set first)

CELL_TIMEOUT = 300
"""Seconds after which a cell counts as hung."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", nargs="*", type=Path, metavar="notebooks/NN_name.py")
    texts = parser.parse_args(arguments).texts or sorted((ROOT / "notebooks").glob("*.py"))
    for text in texts:
        if text.suffix != ".py" or not text.is_file():
            parser.error(f"{text} is not the text file (.py) of a notebook")
    failed = [str(text) for text in texts if not _execute(text)]
    if failed:
        print("failed, and left as before:", *failed, file=sys.stderr)
    return int(bool(failed))


def _execute(text: Path) -> bool:
    """Write the notebook of one text file; True if every cell ran."""
    notebook = jupytext.read(text)
    number_cells(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # where a stream is cut depends on timing
        resources={"metadata": {"path": str(text.resolve().parent)}},
        on_cell_start=lambda cell, cell_index: running.append(cell_index),
    )
    running = [0]
    print(f"{text}: ", end="", flush=True)
    start = time.perf_counter()
    try:
        client.execute()
    except (
        CellControlSignal,
        DeadKernelError,
    ) as error:  # a cell raised or took too long; or the kernel died
        first_line = notebook.cells[running[-1]].source.partition("\n")[0]
        print(
            f"cell {running[-1]} failed, the one that begins with\n    {first_line}\n{error}",
            flush=True,
        )
        return False
    content = jupytext.writes(make_stable(notebook), fmt="ipynb")
    write_atomically(text.with_suffix(".ipynb"), (content.rstrip("\n") + "\n").encode())
    print(f"{len(notebook.cells)} cells in {time.perf_counter() - start:.0f} s", flush=True)
    return True


def number_cells(notebook: nbformat.NotebookNode) -> None:
    """Give every cell an id that depends on its source alone, so that an edit elsewhere does not change it."""
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        occurrence = seen[cell.source] = seen.get(cell.source, -1) + 1
        cell.id = hashlib.sha256(f"{occurrence} {cell.source}".encode()).hexdigest()[:8]


def make_stable(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what differs from run to run or from machine to machine and tells a reader nothing."""
    notebook.metadata.pop("language_info", None)  # the Python version
    widgets = (
        notebook.metadata.get("widgets", {})
        .get("application/vnd.jupyter.widget-state+json", {})
        .get("state", {})
    )
    content = nbformat.writes(notebook)
    for number, random_id in enumerate(widgets):  # in the order of creation
        content = content.replace(random_id, hashlib.sha256(str(number).encode()).hexdigest()[:32])
    return nbformat.reads(content, as_version=4)


if __name__ == "__main__":
    sys.exit(main())
