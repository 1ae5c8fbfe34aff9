"""The worlds that images are drawn from, and what a data set must have to be trained on."""

from sbd_utils.data.base import (
    Batches,
    Factor,
    FactorStream,
    Scenes,
    as_batches,
    check_images,
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
    generate_spaced_coordinates,
    save_dataset,
)
from sbd_utils.data.multi_dsprites import MultiDSprites, join
from sbd_utils.data.scenes import SceneStream

STREAMS: dict[str, type[CircleStream]] = {"circles": CircleStream, "rectangle": RectangleStream}
"""Endless data sets by the name that tables of results hold; a new one is entered here."""

__all__ = [
    "CIRCLE_SIZE",
    "MARGIN",
    "STREAMS",
    "Batches",
    "CircleStream",
    "Factor",
    "FactorStream",
    "MultiDSprites",
    "RectangleStream",
    "SceneStream",
    "Scenes",
    "as_batches",
    "center_range",
    "check_images",
    "circles_dataset",
    "draw_circles",
    "evaluation_grid",
    "generate_spaced_coordinates",
    "join",
    "save_dataset",
    "step_seed",
]
