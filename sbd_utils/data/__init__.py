"""The worlds that images are drawn from, and what a data set must have to be trained on."""

from sbd_utils.data.base import Batches, Factor, FactorStream, as_batches, check_images, step_seed
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
    "RectangleStream",
    "as_batches",
    "center_range",
    "check_images",
    "circles_dataset",
    "draw_circles",
    "evaluation_grid",
    "generate_spaced_coordinates",
    "save_dataset",
    "step_seed",
]
