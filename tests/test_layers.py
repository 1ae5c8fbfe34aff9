"""Which module may import which, read from the source; what the package offers; what it needs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sbd_utils

PACKAGE = Path(sbd_utils.__file__).parent

# Lowest first: a module imports only from modules above its own line, and only from those named here.
LAYERS = {
    "files": [],
    "sprites": [],
    "models": [],
    "metrics": [],
    "checks": [],
    "datasets": ["files", "sprites"],
    "training": ["files", "models", "datasets"],
    "recipes": ["models", "datasets", "training"],
    "pretrained": ["files", "models"],
    "analysis": ["models", "sprites", "datasets", "metrics"],
    "evidence": ["files", "models", "training", "recipes", "analysis"],
    "plotting": ["analysis"],
    "explorer": ["sprites", "models", "analysis", "plotting", "pretrained"],
    "explorer_widget": ["models", "explorer"],
    "explorer_server": [],
    "__main__": "everything",
}


def imported(source: str, module: str) -> set[str]:
    """Modules of the package that the source imports anywhere, in functions too; its own name apart."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            paths = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ["sbd_utils" if node.level else "", node.module]))
            # `from sbd_utils import x`: x is a module, or a public name, which has one.
            paths = [f"{base}.{alias.name}" for alias in node.names] if base == "sbd_utils" else [base]
        else:
            continue
        found |= {path.split(".")[1] for path in paths if path.startswith("sbd_utils.")}
    return {sbd_utils._MODULE_OF.get(name, name) for name in found} - {module}


def modules() -> list[str]:
    return sorted(path.stem for path in PACKAGE.rglob("*.py") if path.stem != "__init__")


def test_every_module_has_its_place():
    assert set(modules()) <= set(LAYERS)
    order = list(LAYERS)
    for module, allowed in LAYERS.items():
        if allowed != "everything":
            assert all(order.index(other) < order.index(module) for other in allowed), module


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_below(module):
    allowed = set(LAYERS) - {"__main__"} if LAYERS[module] == "everything" else set(LAYERS[module])
    assert imported((PACKAGE / f"{module}.py").read_text(encoding="utf-8"), module) <= allowed


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import sbd_utils.plotting", {"plotting"}),
        ("from sbd_utils.plotting import show", {"plotting"}),
        ("from sbd_utils import plotting, VAE", {"plotting", "models"}),
        ("from . import analysis", {"analysis"}),
        ("from .analysis import encode", {"analysis"}),
        ("def f():\n    from sbd_utils import show", {"plotting"}),
        ("import torch\nfrom torch import nn", set()),
    ],
)
def test_every_way_to_import_is_found(source, found):
    assert imported(source, "sprites") == found


# What the package offers


def test_the_names_that_the_course_uses_are_there():
    names = {"Sprite", "draw_sprites", "plot_examples", "generate_spaced_coordinates", "VAE", "get_avg_variance"}
    names |= {"get_smallest_pair", "encode_coordinates", "fit_geometry", "load_pretrained", "available_pretrained"}
    assert names <= set(sbd_utils.__all__)


def test_every_public_name_is_defined_in_the_module_that_is_said_to_define_it():
    assert set(sbd_utils.__all__) <= set(dir(sbd_utils))
    for name in sbd_utils.__all__:
        value = getattr(sbd_utils, name)
        if hasattr(value, "__module__"):
            assert value.__module__ == f"sbd_utils.{sbd_utils._MODULE_OF[name]}", name
        if callable(value):
            assert value.__doc__, name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'sbd_utils' has no attribute 'vae'"):
        _ = sbd_utils.vae
    with pytest.raises(ImportError, match="cannot import name 'vae'"):
        from sbd_utils import vae  # noqa: F401


# What it needs

DRAWING = """
import sys
sys.modules.update(dict.fromkeys(%r))  # to import one of these is now an error
import matplotlib
matplotlib.use("Agg")
from sbd_utils import Sprite, VAE, circles_dataset, draw_sprites, generate_spaced_coordinates, plot_coordinate_grid
from sbd_utils import plot_examples, encode_coordinates, fit_geometry
import matplotlib.pyplot as plt
plot_examples(circles_dataset(4)[:][0], "circles")
model = VAE().eval()
x, y, labels = generate_spaced_coordinates(12, 52, 3, 2)
plot_coordinate_grid(plt.figure().gca(), *encode_coordinates(model, x, y, 0, 1), labels)
draw_sprites([Sprite("triangle", 5, 5)], 16)
"""


def test_drawing_and_models_need_no_more_than_torch_numpy_and_matplotlib():
    others = ["safetensors", "tqdm", "IPython", "ipywidgets", "accelerate", "jupytext", "nbformat", "yaml"]
    subprocess.run([sys.executable, "-c", DRAWING % others], cwd=PACKAGE.parent, check=True)
