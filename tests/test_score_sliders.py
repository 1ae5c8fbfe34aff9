"""The sliders of notebook 07, without a page: what they say is what the library computes."""

import ast
from pathlib import Path

import pytest

from sbd_utils import OKABE_ITO, factor_vae_score, mig, sap, toy_code
from tools.notebooks import FOLDER

NOTEBOOK = Path(FOLDER) / "07_scores.py"
CELLS = NOTEBOOK.read_text(encoding="utf-8").split("\n# %%")


@pytest.fixture(scope="module")
def page() -> dict:
    """The names that the cell with the sliders leaves, run after no more than it needs."""
    (numbers,) = (cell for cell in CELLS if "\ndef three(" in cell)
    (sliders,) = (cell for cell in CELLS if "\ndef redraw(" in cell)
    (styles,) = (
        line for cell in CELLS for line in cell.splitlines() if line.startswith("styles = ")
    )
    needed = [
        node
        for node in ast.parse(numbers.partition("\n")[2]).body
        if isinstance(node, ast.ImportFrom | ast.FunctionDef) or "QUICK" in ast.unparse(node)[:5]
    ]
    blue, orange, green, *_ = OKABE_ITO
    names = dict(mig=mig, sap=sap, toy_code=toy_code, BLUE=blue, ORANGE=orange, GREEN=green)
    for source in (ast.unparse(needed), styles, sliders.partition("\n")[2]):
        exec(compile(source, NOTEBOOK.name, "exec"), names)
    return names


def said(page: dict, samples: int, angle: float, values: int | str) -> str:
    page["size_slider"].value = samples
    page["turn_slider"].value = angle
    page["value_slider"].value = values
    assert bytes(page["view"].value).startswith(b"\x89PNG")
    return page["words"].value


@pytest.mark.parametrize(("angle", "values"), [(0, "all"), (30, "all"), (0, 32)])
def test_the_line_below_the_picture_has_the_scores(page, angle, values):
    words = said(page, 1000, angle, values)
    toy = toy_code(1000, angle, None if values == "all" else values)
    options = {"continuous": toy.continuous}
    votes = {"train_votes": 1000, "test_votes": 1000}
    vote = factor_vae_score(toy.codes, toy.factors, **options, **votes).value
    gap, known = (
        mig(toy.codes, toy.factors, **options).value,
        sap(toy.codes, toy.factors, continuous=True),
    )
    assert words == f"MIG {gap:.2f}, SAP {known.value:.2f}, FactorVAE {vote:.2f}"
    assert page["view"].tooltip == words


def test_every_number_of_values_has_a_picture(page):
    """The fewest samples with the most values, above all, are enough to be scored."""
    pictures = set()
    for values in page["value_slider"].options:
        said(page, page["size_slider"].options[0], 45, values)
        pictures.add(bytes(page["view"].value))
    assert len(pictures) == len(page["value_slider"].options)
