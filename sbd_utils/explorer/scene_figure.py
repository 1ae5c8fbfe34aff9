"""What a hand does to a scene, as a picture for those who only read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sbd_utils.explorer.scene import SceneInHand
from sbd_utils.plotting import plot_picture

WIDTH = 1.9
"""Of a picture, in inches."""
FINE = 8
"""Parts of a pixel's width in which an outline is drawn."""
EDGES = {"black": 3.5, "white": 1.5}
"""Colours of the two lines of an outline, seen on any colour, and their widths."""


def plot_edits(hand: SceneInHand, events: Sequence[Mapping[str, Any]]) -> Figure:
    """The scene, what the model draws of it, and what it draws after each event.

    In each drawing, the slot that was touched last is outlined, where it has most of a pixel.

    Args:
        hand: A scene in hand; it is left where the events lead.
        events: See `SceneInHand.handle`.

    Raises:
        ValueError: An event is refused.

    Returns:
        A figure with 2 + len(events) pictures in a row.
    """
    count = 2 + len(events)
    figure, axes = plt.subplots(1, count, figsize=(WIDTH * count, WIDTH + 0.4), squeeze=False)
    first, second, *rest = axes[0]
    plot_picture(first, hand.images[hand.index].permute(1, 2, 0), "the scene")
    _plot_drawing(second, hand, "drawn from its slots")
    for ax, event in zip(rest, events, strict=True):
        hand.handle(event)
        _plot_drawing(ax, hand, title_of(event))
    return figure


def title_of(event: Mapping[str, Any]) -> str:
    """What an event does, in a few words."""
    match event:
        case {"type": "place", "slot": slot, "x": x, "y": y}:
            return f"slot {slot} to ({x:.0f}, {y:.0f})"
        case {"type": "hue", "slot": slot, "degrees": degrees}:
            return f"slot {slot} to hue {degrees:.0f}°"
        case {"type": "latent", "slot": slot, "latent": latent, "value": value}:
            return f"slot {slot}: z{latent} = {value:.1f}"
        case {"type": "show", "slot": slot, "value": value}:
            return f"slot {slot} {'brought back' if value else 'left out'}"
        case {"type": "choose", "slot": slot}:
            return f"slot {slot}"
        case {"type": "scene", "scene": index}:
            return f"scene {index}"
    return "as inferred"


def _plot_drawing(ax: Axes, hand: SceneInHand, title: str) -> None:
    plot_picture(ax, hand.picture, title)
    won = np.kron(hand.winners == hand.slot, np.ones((FINE, FINE)))  # edges follow the pixels'
    middles = (np.arange(len(won)) + 0.5) / FINE - 0.5
    if 0 < won.mean() < 1:
        for color, width in EDGES.items():
            ax.contour(middles, middles, won, [0.5], colors=color, linewidths=width)
