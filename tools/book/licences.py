"""The page that says whose work the site brings along, and under which terms."""

import importlib.metadata
import json
from pathlib import Path

from sbd_utils.files import read_text

PYTHON = ("furo", "Sphinx", "sphinx-basic-ng", "myst-nb", "Pygments")
"""Packages whose scripts and style sheets are on the pages."""
NOT_BUNDLED = ("@types/", "undici-types")
"""Of those, what is no code."""
HEAD = """# Licences

The course is under the [MIT licence](https://opensource.org/license/mit); its text is in the file
LICENSE. These pages bring along work of others: scripts and style sheets of the theme, and, for the
explorer, the runtime that runs networks in a browser.

| package | version | licence |
|---|---|---|
"""


def licences_page(packages: Path) -> str:
    """The page in Markdown.

    Args:
        packages: A folder node_modules.
    """
    rows = [_python_row(name) for name in PYTHON]
    found = sorted(packages.rglob("package.json"))
    for path in found:
        about = json.loads(read_text(path))
        name = path.parent.relative_to(packages).as_posix()
        if about.get("name") == name and not name.startswith(NOT_BUNDLED):
            rows.append((name, about["version"], about["license"]))
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _python_row(name: str) -> tuple[str, str, str]:
    about = importlib.metadata.metadata(name)
    stated = about.get("License-Expression") or about.get("License") or ""
    classifiers = about.get_all("Classifier", [])
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    return name, about["Version"], stated.partition("\n")[0] or ", ".join(named)
