"""Run the cells of a notebook, then each solution of its exercises, in one namespace without a Jupyter server.

Standard input: JSON with "cells" and "solutions", lists of sources, and "missing", names of packages to pretend not to
be installed. Run it in the notebook's folder. A solution starts from what the notebook's cells left, not from other
solutions. The first error ends the run with its traceback and exit status 1.

In a process of its own, because it hides packages, sbd_utils itself among them, which a notebook must find by its path.
"""

import importlib.util
import json
import os
import sys

os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"


def main() -> None:
    task = json.load(sys.stdin)
    sys.path[:] = [
        folder for folder in sys.path if not os.path.isdir(os.path.join(folder, "sbd_utils"))
    ]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if "__editable__" not in getattr(finder, "__module__", "")
    ]
    if importlib.util.find_spec("sbd_utils") is not None:
        raise RuntimeError(
            "sbd_utils is importable before the notebook has put the clone's root on sys.path"
        )
    for package in task["missing"]:
        sys.modules[package] = None

    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(colors="nocolor")
    for source in task["cells"]:
        _run(shell, source)
    left = dict(shell.user_ns)
    for source in task["solutions"]:
        _run(shell, source)
        shell.user_ns.clear()
        shell.user_ns.update(left)


def _run(shell, source: str) -> None:
    if not shell.run_cell(source).success:
        sys.exit(f"in the cell\n{source}")


if __name__ == "__main__":
    main()
