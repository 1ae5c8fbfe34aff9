"""The page that says whose work the site brings along, and under which terms."""

import html
import importlib.metadata
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from sbd_utils.files import read_text

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ("furo", "Sphinx", "sphinx-basic-ng", "myst-nb", "Pygments", "accessible-pygments")
"""Packages whose scripts and style sheets are on the pages."""
NOT_BUNDLED = ("@types/", "undici-types")
"""Of those, what is no code."""
MICROSOFT = "Copyright (c) Microsoft Corporation. All rights reserved."
"""As the first lines of onnxruntime-web's scripts have it: its packages bring no text."""
HEAD = """# Licences

The course is under the [MIT licence](https://opensource.org/license/mit); its text is in the file
LICENSE. These pages bring along work of others: scripts and style sheets of the theme, and, for the
explorer, the runtime that runs networks in a browser. The runtime's program is built from more
libraries, which [its makers list](https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt).

| package | version | licence |
|---|---|---|
"""
TEXTS = """
## Their texts

"""


class Package(NamedTuple):
    """One that is brought along."""

    name: str
    version: str
    licence: str
    """Its name."""
    text: str | None
    """The whole of it, if the package has it."""


def licences_page(packages: Path) -> str:
    """The page in Markdown.

    Args:
        packages: A folder node_modules.
    """
    brought = [*map(_python_package, PYTHON), *_npm_packages(packages)]
    rows = "".join(f"| {each.name} | {each.version} | {each.licence} |\n" for each in brought)
    owners: dict[str, list[str]] = defaultdict(list)  # several may have the same text
    for each in brought:
        if each.text:
            owners[each.text].append(each.name)
    return HEAD + rows + TEXTS + "\n".join(_folded(*entry) for entry in owners.items())


def _folded(text: str, names: list[str]) -> str:
    summary = f"<summary>{', '.join(names)}</summary>"
    lines = f'<pre class="licence">{html.escape(text)}</pre>'
    return f"<details>{summary}\n\n{lines}\n\n</details>\n"


def _npm_packages(packages: Path) -> list[Package]:
    found = []
    for path in sorted(packages.rglob("package.json")):
        about = json.loads(read_text(path))
        name = path.parent.relative_to(packages).as_posix()
        if about.get("name") != name or name.startswith(NOT_BUNDLED):
            continue
        texts = [read_text(file).strip() for file in sorted(path.parent.glob("LICEN[CS]E*"))]
        if not texts and name.startswith("onnxruntime"):
            texts = [mit_text(MICROSOFT)]
        found.append(Package(name, about["version"], about["license"], "\n\n".join(texts)))
    return found


def mit_text(owner: str) -> str:
    """The MIT licence, as the course has it, with the line of another owner."""
    return re.sub(r"^Copyright .*$", owner, read_text(ROOT / "LICENSE").strip(), flags=re.M)


def _python_package(name: str) -> Package:
    about = importlib.metadata.metadata(name)
    stated = about.get("License-Expression") or about.get("License") or ""
    classifiers = about.get_all("Classifier", [])
    named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    licence = stated.partition("\n")[0] or ", ".join(named)
    files = importlib.metadata.files(name) or []
    texts = [file.read_text().strip() for file in files if file.name.startswith("LICENSE")]
    return Package(name, about["Version"], licence, "\n\n".join(texts))
