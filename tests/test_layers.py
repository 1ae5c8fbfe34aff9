"""Which module may import which, read from the source; what the package offers; what it needs."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sbd_utils

PACKAGE = Path(sbd_utils.__file__).parent
ROOT = PACKAGE.parent


def table(text: str) -> dict[str, tuple[str, list[str]]]:
    """Subject and allowed imports of every room in a table of Markdown, in its order."""
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \|(?: (.*?) ?\|)?$", text, re.MULTILINE)
    return {room: (subject, re.findall(r"[\w.]+", imports)) for room, subject, imports in rows}


ROOMS = table((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
FAMILIES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def room(path: Path) -> str:
    """The name of a module: 'files', 'data.circles'; a family's own `__init__` has the family's."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def modules() -> list[str]:
    return sorted(room(path) for path in PACKAGE.rglob("*.py") if path.stem != "__init__")


def imported(source: str, module: str) -> set[str]:
    """Rooms that the source imports anywhere, in functions too; its own name apart."""
    paths = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            paths |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, ["sbd_utils" if node.level else "", node.module]))
            # `from sbd_utils import x`: x is a room, or a public name, which has one.
            paths |= (
                {f"{base}.{alias.name}" for alias in node.names}
                if base in ("sbd_utils", *(f"sbd_utils.{family}" for family in FAMILIES))
                else {base}
            )
    return {_room_of(path) for path in paths if path.startswith("sbd_utils.")} - {module}


def _room_of(path: str) -> str:
    """'sbd_utils.data.circles.MARGIN' and the like: the longest beginning that is a room or a family."""
    parts = path.split(".")[1:]
    known = {*modules(), *FAMILIES}
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in known:
            return ".".join(parts[:end])
    return room(Path(importlib.import_module(getattr(sbd_utils, parts[0]).__module__).__file__))


def test_the_table_lists_every_module_and_no_other():
    assert list(ROOMS) == sorted(ROOMS, key=list(ROOMS).index)
    assert set(ROOMS) == set(modules())


def test_imports_run_downwards():
    order = list(ROOMS)
    for name, (_, allowed) in ROOMS.items():
        for other in allowed if allowed != ["everything"] else []:
            members = [r for r in order if r == other or r.startswith(f"{other}.")]
            assert members, f"{name}: there is no room {other}"
            assert all(order.index(member) < order.index(name) for member in members), (name, other)


BASES = {
    "checks": {"kit"},
    "data": {"base"},
    "metrics": {"base"},
    "models": {"base", "decoders", "slots", "vae"},
    "explorer": {
        *("events", "pictures", "spots", "side", "core", "messages", "page"),
        *("directions", "scene", "scene_messages"),
    },
}


def test_siblings_import_the_base_of_their_family_alone():
    """`training.loop` is no sibling but what the others are parts of."""
    for name, (_, allowed) in ROOMS.items():
        family, _, member = name.partition(".")
        if member and name != "training.loop":
            siblings = {
                other.partition(".")[2] for other in allowed if other.startswith(f"{family}.")
            }
            assert siblings <= BASES.get(family, set()), name


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_from_below(module):
    path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
    allowed = ROOMS[module][1]
    if allowed == ["everything"]:
        return
    for other in imported(path.read_text(encoding="utf-8"), module):
        assert other in allowed or other.partition(".")[0] in allowed, other


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_offers_only_what_its_members_define(family):
    source = (PACKAGE / family / "__init__.py").read_text(encoding="utf-8")
    assert all(other.partition(".")[0] == family for other in imported(source, family))


def test_the_readme_tells_the_same_of_every_room():
    """One line for a family, or for a room that stands alone; its subject is the table's."""
    told = table((ROOT / "README.md").read_text(encoding="utf-8"))
    alone = {name: subject for name, (subject, _) in ROOMS.items() if "." not in name}
    assert set(told) == {*alone, *FAMILIES} - {"__main__"}
    assert all(told[name][0] == subject for name, subject in alone.items() if name != "__main__")


def test_the_stub_follows_the_table():
    """Names stand under the room that defines them, rooms in the order of the table."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    rooms = [node.module for node in stub.body if isinstance(node, ast.ImportFrom) and node.module]
    assert rooms == sorted(rooms, key=list(ROOMS).index)
    for node in stub.body:
        for alias in node.names if isinstance(node, ast.ImportFrom) and node.module else []:
            defined = importlib.import_module(f"sbd_utils.{node.module}")
            assert getattr(sbd_utils, alias.name) is getattr(defined, alias.name)
            where = getattr(getattr(sbd_utils, alias.name), "__module__", defined.__name__)
            assert where == defined.__name__, alias.name


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import sbd_utils.plotting", {"plotting"}),
        ("from sbd_utils.plotting import show", {"plotting"}),
        ("from sbd_utils import plotting, VAE", {"plotting", "models.vae"}),
        ("from . import analysis", {"analysis"}),
        ("from .analysis import encode", {"analysis"}),
        ("from sbd_utils.data import MARGIN", {"data"}),
        ("from sbd_utils.data import base", {"data.base"}),
        ("from sbd_utils.data.base import Factor", {"data.base"}),
        ("def f():\n    from sbd_utils import show", {"plotting"}),
        ("import torch\nfrom torch import nn", set()),
    ],
)
def test_every_way_to_import_is_found(source, found):
    assert imported(source, "sprites") == found


# What the package offers


def test_the_names_that_the_course_uses_are_there():
    names = {
        "Sprite",
        "draw_sprites",
        "plot_examples",
        "generate_spaced_coordinates",
        "VAE",
        "get_avg_variance",
    }
    names |= {
        "get_smallest_pair",
        "encode_coordinates",
        "fit_geometry",
        "load_pretrained",
        "available_pretrained",
    }
    assert names <= set(sbd_utils.__all__)


def test_every_public_name_is_documented():
    assert set(sbd_utils.__all__) <= set(dir(sbd_utils))
    for name in sbd_utils.__all__:
        value = getattr(sbd_utils, name)
        assert value.__doc__ or not callable(value), name


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


def test_the_explorers_page_does_not_wait_for_pytorch():
    code = "import sys; sys.modules['torch'] = None; import sbd_utils.explorer.app"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_drawing_and_models_need_no_more_than_torch_numpy_and_matplotlib():
    others = [
        "safetensors",
        "tqdm",
        "IPython",
        "ipywidgets",
        "accelerate",
        "jupytext",
        "nbformat",
        "yaml",
    ]
    subprocess.run([sys.executable, "-c", DRAWING % others], cwd=PACKAGE.parent, check=True)
