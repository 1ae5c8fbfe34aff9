"""What importing the library adds to importing torch, each in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5
"""The best counts: other programs only ever slow one down."""
DRAWING = ("plotting", "explorer")
"""Rooms that load matplotlib or widgets."""


def seconds(first: str, then: str = "pass") -> tuple[float, float]:
    """Best time of running `first`, and of running `then` after it, in a fresh interpreter."""
    code = (
        f"import time; a = time.perf_counter()\n{first}\nb = time.perf_counter()\n{then}\n"
        "print(b - a, time.perf_counter() - b)"
    )
    runs = []
    for _ in range(REPEATS):
        line = [sys.executable, "-c", code]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
        runs.append([float(number) for number in done.stdout.split()])
    before, after = (min(column) for column in zip(*runs, strict=True))
    return before, after


def modules(drawing: bool) -> str:
    """A statement that imports the library's modules, those that draw or the others."""
    package = ROOT / "sbd_utils"
    paths = [path.relative_to(package) for path in package.rglob("*.py")]
    paths = [path for path in paths if not path.stem.startswith("__")]
    wanted = [
        path for path in paths if path.with_suffix("").parts[0].startswith(DRAWING) == drawing
    ]
    names = sorted(".".join(path.with_suffix("").parts) for path in wanted)
    return "import " + ", ".join(["sbd_utils", *(f"sbd_utils.{name}" for name in names)])


def main() -> None:
    """Print the table."""
    library = modules(drawing=False)
    torch_alone, added = seconds("import torch", library)
    _, drawing = seconds(f"import torch; {library}", modules(drawing=True))
    print("\nseconds to import\n")
    print(f"{'torch':<44}{torch_alone:>8.2f}")
    print(f"{'+ sbd_utils, all modules but those that draw':<44}{added:>8.2f}")
    print(f"{'+ those that draw (matplotlib)':<44}{drawing:>8.2f}")
