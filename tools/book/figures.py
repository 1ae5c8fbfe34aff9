"""What the two small figures in the page must know, out of the notebooks that they stand in.

Numbers are those of the notebook's own lines: the page and the notebook cannot differ.
"""

import ast
import contextlib
import io
from pathlib import Path
from typing import Any

import jupytext
import torch

from sbd_utils.files import read_text
from sbd_utils.sprites import CORNERS, HEART_DROP, HEART_SIDE, OVAL_RATIO, RADIUS, SHAPES

SIZE = 64
"""Pixels of an image, in both notebooks."""


def read_values(text: Path, *names: str, **known: Any) -> list[Any]:
    """The values that a notebook's text assigns to these names at its top level.

    Args:
        text: NN_name.py.
        names: Each assigned an expression of literals, of `known` and of names before it.
        known: Values by name.

    Raises:
        KeyError: One is not assigned.
        NameError: An expression has another name.
    """
    values: dict[str, Any] = {}
    for node in ast.parse(read_text(text)).body:
        match node:
            case ast.Assign([ast.Name(name)], expression) if name in names:
                code = compile(ast.Expression(expression), str(text), "eval")
                values[name] = eval(code, {**known, **values})
    return [values[name] for name in names]


def read_options(text: Path, function: str) -> dict[str, Any]:
    """The keywords with a literal value of the first call of a function.

    Args:
        text: NN_name.py.
        function: Its name, without the module's.

    Raises:
        StopIteration: It is not called.
    """
    nodes = ast.walk(ast.parse(read_text(text)))
    calls = (node for node in nodes if isinstance(node, ast.Call))
    call = next(call for call in calls if getattr(call.func, "attr", None) == function)
    return {
        keyword.arg: ast.literal_eval(keyword.value)
        for keyword in call.keywords
        if keyword.arg and not isinstance(keyword.value, ast.Name)
    }


def run_cell(text: Path, mark: str) -> dict[str, Any]:
    """What a cell defines that needs no more than torch and nn.

    Args:
        text: NN_name.py.
        mark: Stands in that cell alone.

    Raises:
        ValueError: It stands in no cell, or in several.
    """
    [source] = [cell.source for cell in jupytext.read(text).cells if mark in cell.source]
    names = {"torch": torch, "nn": torch.nn}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(source, names)
    return names


def form_facts(shape: str) -> dict[str, Any]:
    """Of a shape, what sprites.js draws it from.

    Raises:
        ValueError: It does not draw that one.
    """
    about: dict[str, Any] = {"radius": RADIUS[shape]}
    match shape:
        case "oval":
            about |= {"ratio": OVAL_RATIO}
        case "heart":
            about |= {"side": HEART_SIDE, "drop": HEART_DROP}
        case _ if shape in CORNERS:
            about |= {"corners": CORNERS[shape]}
        case _ if shape != "ellipse":
            raise ValueError(f"shape is {shape!r}; sprites.js does not draw it")
    return about


def sprite_facts(text: Path) -> dict[str, Any]:
    """Of the sprite under its sliders.

    Args:
        text: Of notebook 00.
    """
    ranges, colors, choices = read_values(text, "RANGES", "COLORS", "CHOICES", SHAPES=SHAPES)
    step = read_options(text, "FloatSlider")["step"]
    named = {
        name: dict(min=low, max=high, value=start, step=step, text=said)
        for name, (low, high, start, said) in ranges.items()
    }
    forms = {shape: form_facts(shape) for shape in SHAPES}
    offered = {
        name: dict(options=options, value=start, text=said)
        for name, (options, start, said) in choices.items()
    }
    return dict(ranges=named, colors=colors, shapes=forms, choices=offered, im_size=SIZE)


def diamond_facts(text: Path) -> dict[str, Any]:
    """Of the decoder that is set by hand, two layers of 1 x 1 convolutions.

    Args:
        text: Of notebook 02.
    """
    first, _, second = run_cell(text, "\nby_hand = ")["by_hand"]
    return dict(
        first=first.weight.flatten(1).tolist(),  # of z1, z2, x, y
        second=second.weight.flatten().tolist(),
        bias=second.bias.item(),
        range=read_options(text, "FloatSlider"),
        im_size=SIZE,
    )
