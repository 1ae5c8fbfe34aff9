"""What every notebook needs first: `import course` finds the library and sets how figures look.

It lies beside the notebooks, so that Python finds it whether the library is installed or not.
"""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the course."""

EXTRA = {"anywidget": "explore"}
"""The extra of the library that brings a package, where it is not `lab`."""


def needs(*packages: str) -> None:
    """Say in one sentence what to do about packages that are not installed.

    Args:
        *packages: As they are imported, such as 'torch'.

    Raises:
        ModuleNotFoundError: One of them cannot be found.
    """
    for package in packages:
        if not _is_there(package):
            extra = EXTRA.get(package, "lab")
            raise ModuleNotFoundError(
                f"this notebook needs the package {package}, which is not installed: run "
                f"`pip install -e '.[{extra}]'` in the folder of the course, then restart the "
                "kernel",
                name=package,
            )


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # in sys.modules, but not as a package of its own
        return sys.modules.get(package) is not None


def _find_library() -> None:
    """Put the clone's library first on the path; one that is installed will do without a clone."""
    if (ROOT / "sbd_utils").is_dir():
        sys.path.insert(0, str(ROOT))
    elif not _is_there("sbd_utils"):
        raise ModuleNotFoundError(
            f"the library of the course, sbd_utils, is neither installed nor in {ROOT}: open the "
            "notebooks where they lie in a clone of the course",
            name="sbd_utils",
        )


_find_library()
needs("torch", "numpy", "matplotlib")

from matplotlib import pyplot as plt

plt.style.use("sbd_utils.course")
