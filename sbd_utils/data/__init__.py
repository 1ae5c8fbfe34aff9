"""The worlds that images are drawn from, and what a data set must have to be trained on."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sbd_utils.data.base import (
    Batches,
    Factor,
    FactorStream,
    Range,
    Scenes,
    as_batches,
    check_images,
    generate_spaced_coordinates,
    step_seed,
)
from sbd_utils.data.circles import (
    CIRCLE_SIZE,
    MARGIN,
    CircleStream,
    RectangleStream,
    center_range,
    circles_dataset,
    draw_circles,
    evaluation_grid,
    save_dataset,
)
from sbd_utils.data.coloured import REGIONS, ColoredSprites
from sbd_utils.data.dsprites import DSprites
from sbd_utils.data.multi_dsprites import MultiDSprites, join_scenes
from sbd_utils.data.scenes import SceneStream
from sbd_utils.data.shapes3d import Shapes3D

FILES: dict[str, Callable[..., FactorStream]] = {
    "dsprites": DSprites,
    "dsprites-coloured": partial(DSprites, colored=True),
    "shapes3d": Shapes3D,
}
"""Those of `STREAMS` that are read from a file: their first argument."""


def squares(ranges: Mapping[str, Range] | None = None, **said: Any) -> partial[ColoredSprites]:
    """A world of upright squares in bright colours: they differ in place, size and hue.

    Args:
        ranges: Further ones, see `ColoredSprites`.
        **said: Its other arguments.
    """
    kept: dict[str, Range] = {"shape": "square", "angle": 0, "saturation": 1, "value": 1}
    return partial(ColoredSprites, ranges={**kept, **(ranges or {})}, **said)


SPRITE_SIZES = (3, 4, 6, 9)
"""Diameters in pixels of the worlds in which all sprites have one size."""

STREAMS: dict[str, Callable[..., FactorStream]] = {
    "circles": CircleStream,
    "rectangle": RectangleStream,
    "coloured": ColoredSprites,
    "squares": squares(),
    **{f"squares-{name}": squares(region=name) for name in REGIONS if name != "everywhere"},
    **{f"squares-size{size}": squares({"size": size}) for size in SPRITE_SIZES},
    "squares-hue-by-x": squares({"hue": (0, 270)}, ties={"hue": "x"}),
    **FILES,
}
"""Endless data sets by the name that tables of results hold; a new one is entered here."""

SCENES: dict[str, Callable[..., SceneStream]] = {
    "scenes": SceneStream,
    "scenes-grey": partial(SceneStream, ground="grey"),
    "scenes-plain": partial(SceneStream, ground="plain"),
    "scenes-distinct": partial(SceneStream, hues="distinct"),
    "scenes-shared": partial(SceneStream, hues="shared"),
    "scenes-five": partial(SceneStream, objects=5),
}
"""Endless scenes of several objects, likewise."""


def make_stream(
    name: str, seed: int = 0, im_size: int = 64, path: str | Path | None = None
) -> FactorStream:
    """The data set of a name.

    Args:
        name: A key of `STREAMS`.
        seed: Of everything random.
        im_size: Height and width in pixels.
        path: Of the file, for a key of `FILES`.

    Raises:
        ValueError: The name is unknown, or a file is missing, not wanted or another one.
        FileNotFoundError: There is no such file.
        ImportError: What reads the file is missing.
    """
    if name not in STREAMS:
        known = ", ".join(map(repr, STREAMS))
        raise ValueError(f"dataset is {name!r}; it must be one of {known}")
    arguments: dict[str, Any] = {"seed": seed, "im_size": im_size}
    if name in FILES:
        if path is None:
            raise ValueError(f"dataset is {name!r}, which is read from a file: say which (--data)")
        return STREAMS[name](path, **arguments)
    if path is not None:
        readers = ", ".join(map(repr, FILES))
        raise ValueError(f"dataset is {name!r}, which reads no file; these do: {readers}")
    return STREAMS[name](**arguments)


__all__ = [
    "CIRCLE_SIZE",
    "FILES",
    "MARGIN",
    "REGIONS",
    "SCENES",
    "SPRITE_SIZES",
    "STREAMS",
    "Batches",
    "CircleStream",
    "ColoredSprites",
    "DSprites",
    "Factor",
    "FactorStream",
    "MultiDSprites",
    "RectangleStream",
    "SceneStream",
    "Scenes",
    "Shapes3D",
    "as_batches",
    "center_range",
    "check_images",
    "circles_dataset",
    "draw_circles",
    "evaluation_grid",
    "generate_spaced_coordinates",
    "join_scenes",
    "make_stream",
    "save_dataset",
    "step_seed",
]
