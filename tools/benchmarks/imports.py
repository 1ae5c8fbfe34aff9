"""What importing the library adds to importing torch, each in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPEATS = 5  # the best counts: other programs only ever slow one down
DRAWING = {"plotting", "explorer", "explorer_widget"}  # modules that load matplotlib or widgets


def seconds(first: str, then: str = "pass") -> tuple[float, float]:
    """Best time of running `first`, and of running `then` after it, in a fresh interpreter."""
    code = (
        f"import time; a = time.perf_counter()\n{first}\nb = time.perf_counter()\n{then}\n"
        "print(b - a, time.perf_counter() - b)"
    )
    runs = []
    for _ in range(REPEATS):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        runs.append([float(number) for number in done.stdout.split()])
    return tuple(min(column) for column in zip(*runs, strict=True))


def modules(drawing: bool) -> str:
    """A statement that imports the library's modules, those that draw or the others."""
    names = sorted(
        path.stem for path in (ROOT / "sbd_utils").glob("*.py") if not path.stem.startswith("__")
    )
    wanted = [f"sbd_utils.{name}" for name in names if (name in DRAWING) == drawing]
    return "import " + ", ".join(["sbd_utils", *wanted])


def main() -> None:
    torch_alone, library = seconds("import torch", modules(drawing=False))
    _, drawing = seconds("import torch; " + modules(drawing=False), modules(drawing=True))
    print("\nseconds to import\n")
    print(f"{'torch':<44}{torch_alone:>8.2f}")
    print(f"{'+ sbd_utils, all modules but those that draw':<44}{library:>8.2f}")
    print(f"{'+ those that draw (matplotlib)':<44}{drawing:>8.2f}")
