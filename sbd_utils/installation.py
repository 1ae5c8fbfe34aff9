"""Whether this machine has what the course needs: a line for each thing, and what to do."""

import importlib
import platform
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from packaging.version import Version

from sbd_utils.files import read_text
from sbd_utils.pretrained import RESTORE, load_pretrained

EXTRAS = ("lab", "explore")
"""The extras of the project in which the packages of the notebooks are stated."""
LIBRARY = ("torch", "numpy", "matplotlib", "pillow", "scikit-learn", "scipy", "safetensors", "tqdm")
"""What the library imports, by the names of pyproject.toml."""
PACKAGES = (*LIBRARY, "jupyterlab", "ipywidgets", "anywidget")
"""With what a reader of the notebooks needs beside it."""
MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}
"""Names to import a package by, where they are not its own."""
WEIGHTS = ("vae_circles_bw", "vae_deconv_circles_bw")
INSTALL = "in the folder of the course, run `make lab`, or `pip install -e '.[explore]'` by hand"


class Check(NamedTuple):
    """One thing that is needed."""

    what: str
    """What holds if all is well."""
    test: Callable[[], object]
    """Raises if it does not hold."""
    advice: str
    """What to do then."""


def installation_report(root: Path) -> str:
    """What the course needs, line by line, each with OK or FAIL.

    Nothing is raised: a line that begins with FAIL says what was raised, and what to do about it.

    Args:
        root: The folder of the course. The lowest versions that were tried are in its
            pyproject.toml.
    """
    return report(_needed(root))


def report(checks: Iterator[Check] | list[Check]) -> str:
    """Run checks: a line or three for each, and the sum."""
    lines = [_line(check) for check in checks]
    failures = sum(line.startswith("FAIL") for line in lines)
    to_do = f"{failures} to do, then restart the kernel and run this again."
    return "\n".join([*lines, "", to_do if failures else "Everything runs."])


def _line(check: Check) -> str:
    try:
        check.test()
    except Exception as error:  # whatever it is, the reader is told
        return f"FAIL  {check.what}\n      because: {error}\n      to do: {check.advice}"
    return f"OK    {check.what}"


def _needed(root: Path) -> Iterator[Check]:
    """Python, every package of the notebooks, a convolution, the weights."""
    try:
        python, packages = _lowest_versions(root)
    except (OSError, KeyError, ValueError) as error:
        yield _failed("pyproject.toml says which versions are needed", error)
        return
    what = f"Python is new enough ({python} or later)"
    yield Check(what, partial(needs_python, python), "install a newer Python")
    for package, least in packages.items():
        what = f"{package} imports, new enough ({least} or later)"
        yield Check(what, partial(needs_package, package, least), INSTALL)
    what = "torch convolves on two threads, correctly"
    yield Check(what, needs_two_threads, "install torch again")
    for name in WEIGHTS:
        what = f"the weights {name} are there and whole"
        yield Check(what, partial(load_pretrained, name), RESTORE)


def _failed(what: str, error: Exception) -> Check:
    def test() -> None:
        raise error

    return Check(what, test, "open the notebooks where they lie in a clone of the course")


def _lowest_versions(root: Path) -> tuple[str, dict[str, str]]:
    """Of Python, and of every package by its name."""
    project = tomllib.loads(read_text(root / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    stated = [*project["dependencies"]]
    for extra in EXTRAS:
        stated += extras[extra]
    bounds = dict(line.split(">=") for line in stated if ">=" in line)
    python = project["requires-python"].removeprefix(">=")
    return python, {name: bounds[name] for name in PACKAGES}


def needs_python(least: str) -> None:
    """Raise RuntimeError if this Python is older than `least`."""
    version = platform.python_version()
    if Version(version) < Version(least):
        raise RuntimeError(f"this is Python {version}")


def needs_package(package: str, least: str) -> None:
    """Raise ImportError if a package cannot be imported or is older than `least`."""
    version = importlib.import_module(MODULES.get(package, package)).__version__
    if Version(version) < Version(least):
        raise ImportError(f"version {version} is installed")


def needs_two_threads() -> None:
    """Raise RuntimeError if a convolution on two threads gives a wrong result."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sums = torch.nn.functional.conv2d(torch.ones(8, 16, 64, 64), torch.ones(4, 16, 3, 3))
    finally:
        torch.set_num_threads(before)
    if not torch.all(sums == 16 * 3 * 3):
        raise RuntimeError("a sum of 144 ones came out as something else")
