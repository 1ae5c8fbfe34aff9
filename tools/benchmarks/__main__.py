"""Run benchmarks and print their tables: python -m tools.benchmarks [NAME[:ARGUMENT] ...].

By default the quick ones. An argument goes to the benchmark's `main`.
"""

import importlib
import sys
from pathlib import Path

QUICK = ["rendering", "imports", "encoding"]
"""Under a minute together."""


def main(names: list[str]) -> int:
    """Run the benchmarks of those names; exit status 1 if one is unknown."""
    files = Path(__file__).parent.glob("*.py")
    known = sorted(path.stem for path in files if not path.stem.startswith("__"))
    wanted = [name.partition(":")[::2] for name in names or QUICK]
    unknown = [name for name, _ in wanted if name not in known]
    if unknown:
        missing, there = ", ".join(unknown), ", ".join(known)
        print(f"no benchmark is called {missing}; there are {there}", file=sys.stderr)
        return 1
    for name, argument in wanted:
        benchmark = importlib.import_module(f"tools.benchmarks.{name}")
        benchmark.main(*[argument] if argument else [])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
