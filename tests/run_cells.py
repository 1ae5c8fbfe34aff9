"""Run the cells of a notebook, then each solution of its exercises, in one namespace.

Standard input: JSON with "cells" and "solutions", lists of sources, and "missing", names of
packages to pretend not to be installed. Run it in the notebook's folder. A solution starts from
what the notebook's cells left, not from other solutions. The first error ends the run with its
traceback and exit status 1. There is no Jupyter server.

In a process of its own, because it hides packages, sbd_utils itself among them, which a notebook
must find by its path.
"""

import importlib.util
import json
import os
import sys
from typing import Any

os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"


def main() -> None:
    """Do what standard input says."""
    task = json.loads(sys.stdin.buffer.read())
    hide_library()
    sys.path.insert(0, "")  # as in a kernel: the folder of the notebook
    for package in task["missing"]:
        sys.modules[package] = None  # type: ignore[assignment]

    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance(colors="nocolor")
    for source in task["cells"]:
        _run(shell, source)
    left = dict(shell.user_ns)
    for source in task["solutions"]:
        _run(shell, source)
        shell.user_ns.clear()
        shell.user_ns.update(left)


def hide_library() -> None:
    """Forget where sbd_utils is installed.

    Raises:
        RuntimeError: It can be imported all the same, before a notebook has looked for it.
    """
    sys.path[:] = [p for p in sys.path if not os.path.isdir(os.path.join(p, "sbd_utils"))]
    finders = [f for f in sys.meta_path if "__editable__" not in getattr(f, "__module__", "")]
    sys.meta_path[:] = finders
    if importlib.util.find_spec("sbd_utils") is not None:
        raise RuntimeError("sbd_utils is importable before the notebook has put it on sys.path")


def _run(shell: Any, source: str) -> None:
    if not shell.run_cell(source).success:
        sys.exit(f"in the cell\n{source}")


if __name__ == "__main__":
    main()
