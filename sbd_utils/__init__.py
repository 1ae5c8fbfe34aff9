"""The library under the course: learn disentanglement by doing it.

Every module has one subject and is short: open it. The public names stand in `__init__.pyi`, under
the module that defines them. A name is looked up there at first use, so that drawing a circle does
not wait for, or need, what only plotting or training uses.
"""

import ast
import importlib
from pathlib import Path
from typing import Any


def _module_of() -> dict[str, str]:
    """The module that defines each public name, as the stub says."""
    stub = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    imports = [node for node in ast.parse(stub).body if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: f".{node.module}" if node.module else f".{alias.name}"
        for node in imports
        for alias in node.names
    }


_MODULE_OF = _module_of()
_ROOMS = {module.split(".")[1] for module in _MODULE_OF.values()}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name in _MODULE_OF:
        return getattr(importlib.import_module(_MODULE_OF[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
