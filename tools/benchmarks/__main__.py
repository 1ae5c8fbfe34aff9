"""python -m tools.benchmarks [NAME ...]: run benchmarks, by default the quick ones, and print their tables."""

import importlib
import sys
from pathlib import Path

QUICK = ["rendering", "imports", "encoding"]  # under a minute together


def main(names: list[str]) -> int:
    known = sorted(
        p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("__")
    )
    unknown = [name for name in names if name not in known]
    if unknown:
        print(
            f"no benchmark is called {', '.join(unknown)}; there are {', '.join(known)}",
            file=sys.stderr,
        )
        return 1
    for name in names or QUICK:
        importlib.import_module(f"tools.benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
