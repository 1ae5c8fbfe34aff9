"""The architectures as pictures: a VAE with its loss, and the two decoders beside each other.

Each function draws into an empty figure and returns it; `show` displays it with a text for those
who cannot see it. What is drawn is computed where that is possible: the coordinate sheets are the
decoder's own. Lengths are in units of half an inch, y upwards.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from sbd_utils.models import coordinate_map
from sbd_utils.plotting import OKABE_ITO
from sbd_utils.sprites import render_batch

Point = tuple[float, float]

VAE_SIZE = (7.5, 4.1)
"""Width and height of the picture in inches."""
DECODERS_SIZE = (7.5, 4.7)
"""The same of the decoders' picture."""
CODE = (0.9, 0.35, 0.75, 0.55, 0.15, 0.8, 0.45, 0.65, 0.25, 0.95)
"""Brightness of the ten numbers of a code, any that can be told apart."""
ERROR, KL = OKABE_ITO[5], OKABE_ITO[0]
FILL = "0.9"
FONT = 10.5


def draw_vae(figure: Figure) -> Figure:
    """A variational autoencoder from image to reconstruction, and the two terms of its loss.

    After Kingma & Welling 2014, figure 1 and section 2; β is Higgins et al.'s (2017). Arrows of
    the squared error are solid, those of the KL dashed.

    Args:
        figure: An empty one; it gets the size that the drawing needs.
    """
    ax = _canvas(figure, VAE_SIZE)
    circle = render_batch("ellipse", 42, 26)[0, 0].numpy()
    _sheet(ax, (0.2, 3.0), 2, circle)
    _text(ax, (1.2, 5.5), "image\n64 × 64")
    _trapezium(ax, (2.9, 4.0), 1.7, 2.0, 1.2, "encoder")
    _column(ax, (5.3, 4.2), CODE)
    _column(ax, (5.3, 2.2), CODE[::-1])
    _text(ax, (5.9, 5.05), "mean μ", "left")
    _text(ax, (5.9, 2.75), "spread σ", "left")
    _column(ax, (8.5, 3.2), CODE)
    _text(ax, (8.65, 5.15), "code z\n10 numbers")
    _text(ax, (8.65, 2.0), "z = μ + σ · ε\nnoise ε from N(0, 1)")
    _trapezium(ax, (9.9, 4.0), 1.7, 1.2, 2.0, "decoder")
    _sheet(ax, (12.6, 3.0), 2, circle)
    _text(ax, (13.6, 5.5), "reconstruction\n64 × 64")
    for start, end in [(2.3, 2.85), (9.1, 9.85), (11.65, 12.5)]:
        _arrow(ax, (start, 4.0), (end, 4.0))
    _arrow(ax, (4.65, 4.2), (5.2, 4.9))
    _arrow(ax, (4.65, 3.8), (5.2, 3.0))
    _arrow(ax, (5.75, 4.65), (8.4, 4.15))
    _arrow(ax, (5.75, 3.25), (8.4, 3.85))
    _arrow(ax, (8.65, 2.55), (8.65, 3.1))
    _draw_loss(ax)
    return figure


def _draw_loss(ax: Axes) -> None:
    """Both terms: what each compares, and their sum."""
    _box(ax, (7.4, 0.6), "squared error: is it the same picture?", ERROR, "-")
    for x, tip in [(1.2, 3.55), (13.6, 11.25)]:
        ax.plot([x, x], [2.85, 0.6], color=ERROR, linewidth=1.5)
        _arrow(ax, (x, 0.6), (tip, 0.6), ERROR)
    _box(ax, (4.6, 7.3), "KL: how far from the prior, N(0, 1)?", KL, "--")
    _arrow(ax, (5.45, 5.75), (5.45, 6.8), KL, "--")
    beside, above = [5.3, 4.95, 4.95, 5.45], [2.9, 2.9, 6.2, 6.2]
    ax.plot(beside, above, color=KL, linewidth=1.5, linestyle="--")
    _text(ax, (8.9, 7.3), "loss = w · squared error + β · KL", "left")


def draw_decoders(figure: Figure) -> Figure:
    """The spatial broadcast decoder above the deconvolutional one: from ten numbers to an image.

    Watters et al. 2019, figure 1; sizes are those of `SpatialBroadcastDecoder` and `DeconvDecoder`
    for images of 64 x 64 pixels.

    Args:
        figure: An empty one; it gets the size that the drawing needs.
    """
    ax = _canvas(figure, DECODERS_SIZE)
    circle = render_batch("ellipse", 42, 26)[0, 0].numpy()
    _draw_broadcast(ax, 5.9, circle)
    _draw_deconv(ax, 1.2, circle)
    return figure


def _draw_broadcast(ax: Axes, bottom: float, circle: np.ndarray) -> None:
    """Code, its tiles and the coordinate sheets, the volume, convolutions, the image."""
    middle = bottom + 1.0
    x, y = (sheet.numpy() / 2 + 0.5 for sheet in coordinate_map(64))
    tiles = [np.full((2, 2), value) for value in CODE]
    title = "Spatial broadcast decoder: 64 × 64 from the first layer to the last"
    _text(ax, (0.05, bottom + 3.0), title, "left", weight="bold")
    _column(ax, (0.3, bottom + 0.2), CODE)
    _text(ax, (0.05, bottom - 0.25), "code z\n10 × 1", "left", "top")
    _stack(ax, (1.8, bottom), 1.4, tiles)
    _text(ax, (2.75, bottom - 0.25), "tiled: a sheet\nper number", va="top")
    _sheet(ax, (4.8, bottom + 1.1), 1.1, x)
    _sheet(ax, (4.8, bottom - 0.15), 1.1, y)
    _text(ax, (6.0, bottom + 1.65), "x", "left")
    _text(ax, (6.0, bottom + 0.4), "y", "left")
    _text(ax, (5.35, bottom - 0.25), "coordinate\nsheets", va="top")
    _stack(ax, (7.3, bottom), 1.4, [*tiles, x, y])
    _text(ax, (8.3, bottom - 0.25), "volume\n12 × 64 × 64", va="top")
    _stack(ax, (10.5, bottom), 1.4, [np.full((2, 2), 0.9)] * 10)
    _text(ax, (11.4, bottom - 0.25), "3 convolutions\n64 channels", va="top")
    _sheet(ax, (13.3, bottom + 0.2), 1.6, circle)
    _text(ax, (14.1, bottom - 0.25), "image\n64 × 64", va="top")
    for start, end in [(0.75, 1.7), (6.4, 7.2), (9.5, 10.4), (12.6, 13.2)]:
        _arrow(ax, (start, middle), (end, middle))
    _text(ax, (4.2, middle), "+", size=1.5 * FONT)


def _draw_deconv(ax: Axes, bottom: float, circle: np.ndarray) -> None:
    """Code, then feature maps that double in height and width, up to the image."""
    middle = bottom + 1.0
    title = "Deconvolutional decoder: from 2 × 2, each layer doubles the size"
    _text(ax, (0.05, bottom + 2.6), title, "left", weight="bold")
    _column(ax, (0.3, bottom + 0.2), CODE)
    _text(ax, (0.05, bottom - 0.25), "code z\n10 × 1", "left", "top")
    left, before = 2.0, 0.75
    for cells, size in [(2, 0.5), (4, 0.75), (8, 1.05), (16, 1.4), (32, 1.8)]:
        _arrow(ax, (before, middle), (left - 0.1, middle))
        _squares(ax, (left, middle - size / 2), size, cells)
        _text(ax, (left + size / 2, bottom - 0.25), f"{cells} × {cells}", va="top")
        before = left + size + 0.1
        left += size + 0.85
    _arrow(ax, (before, middle), (left - 0.1, middle))
    size = 2.0
    _sheet(ax, (left, middle - size / 2), size, circle)
    _text(ax, (left + size / 2, bottom - 0.25), "image\n64 × 64", va="top")
    _text(ax, (6.0, bottom - 0.75), "64 channels each", va="top")


# Parts of a picture


def _canvas(figure: Figure, inches: tuple[float, float]) -> Axes:
    """Axes without a frame that fill the figure, two units to an inch."""
    figure.set_size_inches(inches)
    figure.set_layout_engine("none")  # everything has its place
    ax = figure.add_axes((0, 0, 1, 1))
    width, height = inches
    ax.set(xlim=(0, 2 * width), ylim=(0, 2 * height), aspect="equal")
    ax.set_axis_off()
    return ax


def _text(
    ax: Axes,
    at: Point,
    text: str,
    ha: str = "center",
    va: str = "center",
    size: float = FONT,
    weight: str = "normal",
) -> None:
    ax.text(*at, text, ha=ha, va=va, fontsize=size, fontweight=weight, linespacing=1.25)


def _arrow(ax: Axes, start: Point, end: Point, color: str = "black", style: str = "-") -> None:
    """A straight arrow that ends exactly where it is told."""
    arrow = FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, mutation_scale=11)
    arrow.set(arrowstyle="-|>", color=color, linewidth=1.5, linestyle=style)
    ax.add_patch(arrow)


def _sheet(ax: Axes, corner: Point, size: float, picture: np.ndarray) -> None:
    """A picture [H, W] in [0, 1] as a square; `corner` is its lower left."""
    left, bottom = corner
    extent = (left, left + size, bottom, bottom + size)
    limits = ax.get_xlim(), ax.get_ylim()  # imshow would set its own
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=extent, zorder=2)
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.add_patch(Rectangle(corner, size, size, fill=False, edgecolor="0.3", zorder=2))


def _stack(ax: Axes, corner: Point, size: float, pictures: Sequence[np.ndarray]) -> None:
    """Pictures one behind the other; the last is in front, at the lower left."""
    left, bottom = corner
    step = 0.06
    for behind, picture in zip(reversed(range(len(pictures))), pictures, strict=True):
        _sheet(ax, (left + step * behind, bottom + step * behind), size, picture)


def _column(ax: Axes, corner: Point, values: Sequence[float]) -> None:
    """Numbers, one above the other, as shades of grey."""
    left, bottom = corner
    width, height = 0.3, 0.16
    for number, value in enumerate(values):
        at = (left, bottom + height * number)
        ax.add_patch(Rectangle(at, width, height, facecolor=str(value), edgecolor="0.3"))


def _squares(ax: Axes, corner: Point, size: float, cells: int) -> None:
    """A square of cells x cells."""
    left, bottom = corner
    ax.add_patch(Rectangle(corner, size, size, facecolor=FILL, edgecolor="0.3"))
    lines = np.linspace(0, size, cells + 1)[1:-1]
    ax.vlines(left + lines, bottom, bottom + size, color="0.3", linewidth=0.4)
    ax.hlines(bottom + lines, left, left + size, color="0.3", linewidth=0.4)


def _trapezium(
    ax: Axes, middle_left: Point, width: float, first: float, last: float, name: str
) -> None:
    """A network that narrows or widens from the height `first` to the height `last`."""
    left, middle = middle_left
    corners = [
        (left, middle - first / 2),
        (left, middle + first / 2),
        (left + width, middle + last / 2),
        (left + width, middle - last / 2),
    ]
    ax.add_patch(Polygon(corners, facecolor=FILL, edgecolor="0.3"))
    _text(ax, (left + width / 2, middle), name)


def _box(ax: Axes, middle: Point, text: str, color: str, style: str) -> None:
    """A term of the loss, framed."""
    width, height = 7.4, 0.8
    corner = (middle[0] - width / 2, middle[1] - height / 2)
    frame = FancyBboxPatch(corner, width, height, boxstyle="round,pad=0.05", zorder=3)
    frame.set(facecolor="white", edgecolor=color, linewidth=1.5, linestyle=style)
    ax.add_patch(frame)
    ax.text(*middle, text, ha="center", va="center", fontsize=FONT, zorder=4)
