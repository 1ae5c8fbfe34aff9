"""The page's JavaScript and its style sheet."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sbd_utils.files import read_text

FOLDER = Path(__file__).parent
MODULES = ("pads.js", "line.js", "lesson.js", "page.js")
"""What the page is made of; each imports only from those before it."""
SCENE_MODULES = ("pads.js", "line.js", "scene.js")
"""Likewise, the page of a scene in hand."""


def join_modules(sources: Mapping[str, str]) -> str:
    """One JavaScript module from several, since a widget brings only one.

    Args:
        sources: By name, in such an order that each imports only from those before it, as in
            `import { make } from "./pads.js";`, and exports each name where it is defined.

    Returns:
        The sources one after another, without these imports, and without the word `export` but
        for `export default`.

    Raises:
        ValueError: There is another import.
    """
    joined = ""
    before: list[str] = []
    for name, source in sources.items():
        known = "|".join(map(re.escape, before)) or "(?!)"  # nothing
        statement = rf'^import \{{[^}}]*\}} from "\./({known})";\n'
        kept = re.sub(statement, "", source, flags=re.MULTILINE)
        rest = re.findall(r"^import\b.*", kept, re.MULTILINE)
        if rest:
            wanted = f"it may import from {before or 'nowhere'}"
            raise ValueError(f"{name} has {rest[0]!r}; {wanted}")
        joined += re.sub(r"^export (?!default)", "", kept, flags=re.MULTILINE)
        before.append(name)
    return joined


def page_script(modules: Sequence[str] = MODULES) -> str:
    """A page as one JavaScript module, with the `render` of an anywidget.

    Args:
        modules: Files in this folder.
    """
    return join_modules({name: read_text(FOLDER / name) for name in modules})


def page_style() -> str:
    """Its style sheet."""
    return read_text(FOLDER / "page.css")
