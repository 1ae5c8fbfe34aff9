"""What the two small figures in the page must know, out of the notebooks that they stand in.

Numbers that a notebook states as a literal are read there: the page and the notebook cannot differ.
"""

import ast
from pathlib import Path
from typing import Any

from sbd_utils.files import read_text
from sbd_utils.sprites import CORNERS, RADIUS, SHAPES

SIZE = 64
"""Pixels of an image, in both notebooks."""


def read_literals(text: Path, *names: str) -> list[Any]:
    """The values that a notebook's text assigns to these names at its top level.

    Args:
        text: NN_name.py.
        names: Each assigned a literal.

    Raises:
        KeyError: One is not assigned.
        ValueError: What is assigned is no literal.
    """
    values = {}
    for node in ast.parse(read_text(text)).body:
        match node:
            case ast.Assign([ast.Name(name)], value) if name in names:
                values[name] = ast.literal_eval(value)
    return [values[name] for name in names]


def sprite_facts(text: Path) -> dict[str, Any]:
    """Of the sprite under its sliders.

    Args:
        text: Of notebook 00.
    """
    ranges, colors = read_literals(text, "RANGES", "COLORS")
    named = {
        name: dict(min=low, max=high, value=start, text=said)
        for name, (low, high, start, said) in ranges.items()
    }
    forms = {shape: dict(radius=RADIUS[shape], corners=CORNERS.get(shape)) for shape in SHAPES}
    choices = {
        "shape": dict(options=SHAPES, value="rectangle"),
        "color": dict(options=list(colors), value="orange"),
    }
    return dict(ranges=named, colors=colors, shapes=forms, choices=choices, im_size=SIZE)


def diamond_facts(text: Path) -> dict[str, Any]:
    """Of the decoder that is set by hand, two layers of 1 x 1 convolutions.

    Args:
        text: Of notebook 02.
    """
    radius, sharpness = read_literals(text, "RADIUS", "SHARPNESS")
    first = [[-1, 0, 1, 0], [1, 0, -1, 0], [0, -1, 0, 1], [0, 1, 0, -1]]  # of z1, z2, x, y
    second, bias = [-sharpness] * 4, sharpness * radius
    limits = dict(min=-1.2, max=1.2, value=0, step=0.02)
    return dict(first=first, second=second, bias=bias, range=limits, im_size=SIZE)
