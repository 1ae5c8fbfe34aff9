"""What those get who read notebook 06 on a page: a picture and a film of the explorer."""

import re
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from sbd_utils.analysis import INFORMATIVE
from sbd_utils.explorer.page import FOLDER as PAGE

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="module")
def texts() -> list[str]:
    cells = nbformat.read(FOLDER / "06_latent_explorer.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize(("name", "frames"), [("explorer.png", 1), ("explorer.gif", 30)])
def test_the_notebook_shows_the_explorer_to_those_who_only_read(texts, name, frames):
    (alt,) = re.findall(rf"!\[([^\]]*)\]\(pictures/{re.escape(name)}\)", "\n".join(texts))
    assert len(alt.split()) > 15
    path = FOLDER / "pictures" / name
    assert path.stat().st_size < 1_000_000
    with Image.open(path) as picture:
        assert getattr(picture, "n_frames", 1) >= frames
        assert 800 <= picture.width <= 1400


def test_the_notebook_says_where_the_explorer_is_to_those_who_ran_all(texts):
    """JupyterLab scrolls to the last cell; the heading that it names is there."""
    assert "[the explorer is further up](#The-explorer)" in texts[-1]
    assert any(text.startswith("## The explorer\n") for text in texts)


def test_every_text_calls_the_same_latents_informative(texts):
    pages = [path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")]
    glossary = (FOLDER.parent / "docs" / "glossary.md").read_text(encoding="utf-8")
    everything = " ".join([*texts, *pages, glossary])
    told = re.findall(r"variance\s+[^.;]{0,40}?below\s+(\d\.\d+)", everything)
    assert len(told) >= 3
    assert {float(number) for number in told} == {INFORMATIVE}
