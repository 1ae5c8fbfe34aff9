"""Every figure that two notebooks share.

A function draws into the figure or the axes that it is given, and returns it. How lines, legends
and frames look by default stands in `course.mplstyle`.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from numpy.typing import ArrayLike
from PIL import Image
from torch import Tensor

from sbd_utils.analysis import INFORMATIVE, Scores, Traversal, encode_grid, evaluate_circles

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

Array = ArrayLike | Tensor

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")
"""Okabe & Ito's colours, told apart with any colour vision; dark and light alternate, for print."""

SCREEN_DPI = 100
"""Pixels per inch at which a notebook shows a figure …"""
SAVED_DPI = 200
"""… and those that are stored: sharp on screens of twice that resolution, and when enlarged."""
GAP = 2
"""Pixels between images that are shown side by side."""
BETA_AT_THE_TOP = 240
"""The beta that would fill an axis from bottom to top, where beta is a grey area."""
ONE_ROW = 8
"""Up to this many images stand in one row, as in the blog post."""


# Grids of images


def plot_examples(examples: Array, title: str = "", columns: int | None = None) -> Figure:
    """Show a batch of images as one grid in the current figure.

    Args:
        examples: [N, C, H, W] with C 1 (grey) or 3 (RGB), or one grey image [H, W]; clamped to
            [0, 1].
        title: Above the grid.
        columns: Images in a row. By default up to 8 images make one row; more make the squarest of
            the grids that leave the fewest cells empty (at least two rows, at most three times as
            wide as a square): 12 images are 3 rows of 4, 10 are 2 rows of 5, 11 leave one of 12
            cells empty.

    Returns:
        The current figure.

    Raises:
        ValueError: examples has another shape or no image, or columns is below 1.

    Example:
        >>> figure = plot_examples(torch.rand(8, 1, 64, 64), "eight in a row")
        >>> figure.gca().get_title()
        'eight in a row'
    """
    images = _as_images(examples)
    images = images[None, None] if images.ndim == 2 else images
    if images.ndim != 4 or len(images) == 0 or images.shape[1] not in (1, 3):
        shape = list(images.shape)
        wanted = "it must be [N, 1 or 3, H, W] with N at least 1"
        raise ValueError(f"examples has shape {shape}; {wanted}")
    columns = full_columns(len(images)) if columns is None else columns
    figure = plt.gcf()
    ax = figure.gca()
    ax.imshow(image_grid(images, columns), cmap="gray", vmin=0, vmax=1)
    ax.set_axis_off()
    ax.set_title(title)
    return figure


def full_columns(count: int) -> int:
    """How many columns leave as few cells empty as can be; the rule is in `plot_examples`."""
    if count <= ONE_ROW:
        return count
    square = math.ceil(math.sqrt(count))
    widest = min(3 * square, math.ceil(count / 2))

    def empty_cells(columns: int) -> int:
        return -count % columns

    return min(range(square, widest + 1), key=empty_cells)  # of equals the first, the squarest


def image_grid(images: Tensor, columns: int, gap: int = GAP, background: float = 0.5) -> np.ndarray:
    """Images side by side on mid-grey, row after row.

    Args:
        images: [N, C, H, W].
        columns: Images in a row.
        gap: Pixels between them, and around all.
        background: Brightness of the gaps, and of cells without an image.

    Returns:
        [height, width, C], or [height, width] for grey.

    Raises:
        ValueError: columns is below 1.
    """
    if columns < 1:
        raise ValueError(f"columns is {columns}; it must be at least 1")
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    size = (rows * (height + gap) + gap, columns * (width + gap) + gap)
    grid = torch.full((channels, *size), background)
    for i, image in enumerate(images):
        top = gap + (i // columns) * (height + gap)
        left = gap + (i % columns) * (width + gap)
        grid[:, top : top + height, left : left + width] = image
    return grid[0].numpy() if channels == 1 else grid.permute(1, 2, 0).numpy()


def plot_picture(ax: Axes, picture: Array, title: str = "", **options: Any) -> Axes:
    """Show one picture without ticks and frame.

    Args:
        ax: Where.
        picture: [H, W], or [H, W, 3] in [0, 1].
        title: Above it.
        **options: Of `Axes.imshow`. By default grey; black is 0 and white 1.
    """
    if "cmap" not in options:
        options = {"cmap": "gray", "vmin": 0, "vmax": 1, **options}
    ax.imshow(_detached(picture), **options)
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)
    return ax


def plot_strip(
    ax: Axes, images: Array, captions: Sequence[str] | None = None, title: str = ""
) -> Axes:
    """Images side by side in one row.

    Args:
        ax: Where.
        images: [N, C, H, W], clamped to [0, 1].
        captions: N texts beneath them.
        title: Above them.
    """
    shown = _as_images(images)
    _draw_table(ax, shown, columns=len(shown), below=captions or [])
    ax.set_title(title)
    return ax


def plot_traversals(ax: Axes, traversal: Traversal, title: str = "") -> Axes:
    """What `traverse` returned as a table: a row for each latent, the values beneath."""
    images = _as_images(traversal.images.flatten(0, 1))
    values = [f"{value:.1f}".replace("-0.0", "0.0") for value in traversal.values.tolist()]
    names = [f"latent {latent}" for latent in traversal.latents]
    _draw_table(ax, images, columns=len(values), below=values, left=names)
    ax.set(title=title, xlabel="value of the latent (standard deviations of the prior)")
    return ax


def _draw_table(
    ax: Axes, images: Tensor, columns: int, below: Sequence[str], left: Sequence[str] = ()
) -> None:
    """Images as one grid, with texts centred under its columns and at the left of its rows."""
    height, width = images.shape[-2:]
    plot_picture(ax, image_grid(images, columns))
    middles_x = [GAP + width / 2 - 0.5 + i * (width + GAP) for i in range(len(below))]
    middles_y = [GAP + height / 2 - 0.5 + i * (height + GAP) for i in range(len(left))]
    ax.set_xticks(middles_x, below)
    ax.set_yticks(middles_y, left)
    ax.tick_params(length=0)


def _as_images(images: Array) -> Tensor:
    """Float32 on the CPU, apart from any graph, clamped to [0, 1]."""
    return torch.as_tensor(images).detach().float().cpu().clamp(0, 1)


def _detached(values: Array) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


# Grids of positions


def plot_coordinate_grid(
    ax: Axes,
    x: Array,
    y: Array,
    labels: Array,
    title: str = "",
    names: Sequence[str] = ("x (pixels)", "y (pixels)"),
) -> Axes:
    """Draw the lines of `generate_spaced_coordinates`, in the image or where an encoder sent them.

    The first half of the lines (vertical in the image) is blue and solid, the second half orange
    and dashed, each from dark to light in the order of its labels. The first point of every line is
    a dot.

    Args:
        ax: Where.
        x: [N].
        y: [N].
        labels: [N], the number of each point's line.
        title: Above the grid.
        names: Of the two axes.
    """
    x, y, labels = _detached(x), _detached(y), _detached(labels)
    lines = np.unique(labels)
    half = (len(lines) + 1) // 2
    for number, label in enumerate(lines):
        on = labels == label
        first = number < half
        shade = (number % half) / max(half - 1, 1)
        color = plt.get_cmap("Blues" if first else "Oranges")(0.95 - 0.5 * shade)
        ax.plot(x[on], y[on], "-" if first else "--", color=color, linewidth=1.5)
        ax.plot(x[on][0], y[on][0], "o", color=color, markersize=4)
    ax.set(title=title, xlabel=names[0], ylabel=names[1])
    ax.set_aspect("equal", adjustable="datalim")
    return ax


def plot_grid_pair(
    figure: Figure,
    xy: Array,
    z: Array,
    labels: Array,
    pair: Sequence[int] = (0, 1),
    im_size: int = 64,
    title: str = "",
) -> Figure:
    """A grid of positions in the image (left) and where an encoder put them (right).

    Args:
        figure: An empty one.
        xy: [N, 2] in pixels; this, z and labels as `encode_grid` returns them.
        z: [N, 2].
        labels: [N].
        pair: Numbers of the latents, for the axes.
        im_size: Height and width of the image in pixels.
        title: Above the codes.
    """
    left, right = figure.subplots(1, 2)
    x, y = _detached(xy).T
    plot_coordinate_grid(left, x, y, labels, "centres of the circles")
    _frame_image(left, im_size)
    z1, z2 = _detached(z).T
    names = [f"mean of latent {i}" for i in pair]
    plot_coordinate_grid(right, z1, z2, labels, title or "their codes", names)
    return figure


def plot_fit(
    ax: Axes,
    xy: Array,
    z: Array,
    labels: Array,
    matrix: Array,
    title: str = "",
    names: Sequence[str] = ("mean of first latent", "second"),
) -> Axes:
    """An encoded grid, and laid over it in black the fitted straight map of its positions.

    Args:
        ax: Where.
        xy: Positions [N, 2].
        z: Codes [N, 2].
        labels: [N].
        matrix: [3, 2], `Geometry.affine` or `Geometry.similarity`.
        title: Above the grid.
        names: Of the two axes.
    """
    z1, z2 = _detached(z).T
    labels = _detached(labels)
    plot_coordinate_grid(ax, z1, z2, labels, title, names)
    fitted = apply_map(xy, matrix)
    dots = (0, (1, 2))
    for label in np.unique(labels):
        x, y = fitted[labels == label].T
        ax.plot(x, y, color="black", linewidth=0.7, linestyle=dots, zorder=3)
    return ax


def plot_small_grids(
    figure: Figure,
    groups: Mapping[str, Sequence[tuple[Array, str]]],
    labels: Array,
    colors: Sequence,
) -> Figure:
    """Many encoded grids, each in a small frame without axes, a row for each group.

    Vertical lines are dark, horizontal ones lighter.

    Args:
        figure: An empty one.
        groups: By the row's name: codes [N, 2], and what to write beneath each.
        labels: [N], the number of each point's line.
        colors: One for each group.
    """
    columns = max(len(group) for group in groups.values())
    axes = figure.subplots(len(groups), columns, squeeze=False)
    for row, (name, group), color in zip(axes, groups.items(), colors, strict=True):
        for ax in row[len(group) :]:
            ax.set_visible(False)
        for ax, (z, text) in zip(row, group, strict=False):
            _plot_small_grid(ax, _detached(z), _detached(labels), color)
            ax.set_xlabel(text, fontsize=8, labelpad=2)
        row[0].set_ylabel(name, fontsize=8)
    return figure


def _plot_small_grid(ax: Axes, z: np.ndarray, labels: np.ndarray, color: str) -> None:
    """One encoded grid."""
    numbers = np.unique(labels)
    for place, label in enumerate(numbers):
        z1, z2 = z[labels == label].T
        vertical = place < len(numbers) / 2
        ax.plot(z1, z2, color=color, alpha=1 if vertical else 0.5, linewidth=0.8)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color="0.8")


def plot_residuals(
    ax: Axes,
    xy: Array,
    z: Array,
    matrix: Array,
    magnify: float = 10,
    im_size: int = 64,
    title: str = "",
) -> Axes:
    """How far each code lies from the fitted straight map, as enlarged arrows in the image.

    An arrow starts at the true position and points to where the map's inverse puts the code.

    Args:
        ax: Where.
        xy: Positions [N, 2] in pixels.
        z: Codes [N, 2].
        matrix: [3, 2], `Geometry.affine` or `Geometry.similarity`.
        magnify: How many times longer than the residual, in pixels, an arrow is.
        im_size: Height and width of the image in pixels.
        title: Above it.

    Raises:
        ValueError: The map has no inverse.
    """
    linear = _detached(matrix)[:2]
    if np.linalg.matrix_rank(linear) < 2:
        flat = "matrix flattens the plane to a line"
        raise ValueError(f"{flat}; its residuals have no place in the image")
    residual = (_detached(z) - apply_map(xy, matrix)) @ np.linalg.inv(linear)  # [N, 2] pixels
    x, y = _detached(xy).T
    along, down = magnify * residual.T
    arrows = ax.quiver(x, y, along, down, angles="xy", scale_units="xy", scale=1, width=0.004)
    arrows.set_color(OKABE_ITO[0])
    ax.set(xlabel="x (pixels)", ylabel="y (pixels)")
    _frame_image(ax, im_size)
    ax.set_title(title or f"residuals × {magnify:g}")
    return ax


def apply_map(xy: Array, matrix: Array) -> np.ndarray:
    """Positions [N, 2] sent through a fitted straight map [3, 2]: `[x, y, 1] @ matrix`."""
    matrix = _detached(matrix)
    return _detached(xy) @ matrix[:2] + matrix[2]


def _frame_image(ax: Axes, im_size: int) -> None:
    """The axes of an image: square, y downwards."""
    ax.set_aspect("equal", adjustable="box")
    ax.set(xlim=(0, im_size), ylim=(im_size, 0))


def plot_headline(
    figure: Figure, models: Mapping[str, Any], scores: Mapping[str, Scores] | None = None
) -> Figure:
    """The evaluation grid as it is, then as each model encodes it, side by side.

    A model's two latents of least variance are shown; above them stand the similarity R² and the
    squared error per image.

    Args:
        figure: An empty one.
        models: VAEs by the name to print.
        scores: What `evaluate_circles` gave for them, by the same names; asked for here otherwise.
    """
    first, *others = figure.subplots(1, 1 + len(models))
    for ax, (name, model) in zip(others, models.items(), strict=True):
        of_this = scores[name] if scores else evaluate_circles(model)
        r2, error = of_this.geometry.similarity_r2, of_this.squared_error
        names = [f"mean of latent {latent}" for latent in of_this.pair]
        xy, z, labels = encode_grid(model, *of_this.pair)
        title = f"{name}: R² {r2:.2f}, squared error {error:.1f}"
        plot_coordinate_grid(ax, z[:, 0], z[:, 1], labels, title, names)
    # Positions and labels are the same for every model.
    plot_coordinate_grid(first, xy[:, 0], xy[:, 1], labels, "circle positions")
    first.invert_yaxis()
    return figure


# Latents


def plot_variances(
    ax: Axes,
    avg_var: Array,
    sort: bool = True,
    threshold: float = INFORMATIVE,
    title: str = "",
) -> Axes:
    """Average posterior variances as bars that hang from the prior's, 1, on a logarithmic axis.

    Every halving of the variance makes a bar longer by the same amount: half a bit. Informative
    latents are dark, hatched and labelled with their value.

    Args:
        ax: Where.
        avg_var: [z_dim].
        sort: The least first, else by number.
        threshold: Below it a latent is informative.
        title: Above the bars.
    """
    variances = _detached(avg_var).astype(float)
    count = len(variances)
    order = np.argsort(variances, kind="stable") if sort else np.arange(count)
    for place, latent in enumerate(order):
        _hang_bar(ax, place, variances[latent], variances[latent] < threshold)
    informative = f"informative below {threshold:g}"
    ax.axhline(1, color="black", linewidth=1, label="the prior's variance, 1")
    ax.axhline(threshold, color="black", linewidth=1, linestyle=":", label=informative)
    ax.set_yscale("log")
    ax.set_ylim(min(variances.min(), threshold) / 4, max(2, 1.5 * variances.max()))
    ax.set_xticks(range(count), [str(latent) for latent in order])
    ax.set(xlabel="latent", ylabel="average posterior variance", title=title)
    ax.legend(loc="lower right")
    return ax


def _hang_bar(ax: Axes, place: int, value: float, informative: bool) -> None:
    """A bar from 1 down to the value."""
    (bar,) = ax.bar(place, value - 1, bottom=1, width=0.7, color="0.75")
    if informative:
        bar.set(facecolor=OKABE_ITO[0], hatch="//", edgecolor="white")
        text, end = f"{value:.1g}", (place, value)
        ax.annotate(text, end, (0, -3), textcoords="offset points", ha="center", va="top")


def plot_history(figure: Figure, history: Any) -> Figure:
    """Squared error and the KL of every latent over the updates, side by side.

    The two latents that end highest are blue and orange, the others grey and thin; a latent at 0
    says nothing. What the schedules did is marked, see `mark_schedules`.

    Args:
        figure: An empty one.
        history: A `History` of a VAE.
    """
    left, right = figure.subplots(1, 2)
    _plot_error(left, history.squared_error)
    _plot_kl(right, history.kl)
    if {"beta", "pool"} <= history.schedules.keys():
        updates = np.arange(1, len(history.squared_error) + 1)
        for ax in (left, right):
            mark_schedules(ax, updates, history.beta, history.pool)
    return figure


def mark_schedules(ax: Axes, updates: Array, beta: Array, block: Array) -> Axes:
    """Mark on an axis over updates where blocks of pixels get smaller, and how large beta is.

    A dotted line stands before the first update of each new width. Beta is a grey area at the foot
    of the axes, the same height for the same value in every figure; its largest value is printed.

    Args:
        ax: Where the x axis counts updates.
        updates: [T].
        beta: [T], weights of the KL, from 0 to 60 or so.
        block: [T], widths of the blocks in pixels.
    """
    updates, beta, block = _detached(updates), _detached(beta), _detached(block)
    for change in updates[1:][np.diff(block) != 0]:
        ax.axvline(change, color="0.3", linestyle=":", linewidth=1)
    height = beta / BETA_AT_THE_TOP
    shares = ax.get_xaxis_transform()  # x in updates, y as a share of the axes
    ax.fill_between(updates, height, color="0.85", linewidth=0, zorder=0, transform=shares)
    highest = int(beta.argmax())
    label = f"β = {beta[highest]:g}"
    ax.text(updates[highest], height[highest] + 0.02, label, fontsize=9, transform=shares)
    return ax


def _plot_error(ax: Axes, squared_error: Tensor) -> None:
    """The squared error [T] on a logarithmic axis with plain numbers."""
    updates = np.arange(1, len(squared_error) + 1)
    ax.plot(updates, squared_error, color=OKABE_ITO[0], linewidth=1)
    ax.set(yscale="log", xlabel="update", ylabel="squared error per image")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _plot_kl(ax: Axes, kl: Tensor) -> None:
    """The KL [T, z_dim] of every latent; the two that end highest stand out."""
    updates = np.arange(1, len(kl) + 1)
    ranking = kl[-20:].mean(0).argsort(descending=True).tolist()
    for rank, latent in enumerate(ranking):
        (line,) = ax.plot(updates, kl[:, latent], color="0.6", linewidth=0.8)
        if rank < 2:
            line.set(color=OKABE_ITO[rank], linewidth=2, label=f"latent {latent}")
        if rank == 1:
            line.set_linestyle("--")
        if rank == 2:
            line.set_label("the others")
    ax.set(xlabel="update", ylabel="KL (nats)")
    ax.legend(loc="upper left")


# Pictures in a notebook


class LivePlot:
    """A callback for `fit` that redraws `plot_history` in one place of a notebook."""

    def __init__(
        self, alt: str = "Squared error and the KL of every latent over the updates so far."
    ) -> None:
        """Nothing is shown before the first call.

        Args:
            alt: See `show`.
        """
        self.alt = alt
        self.handle: DisplayHandle | None = None

    def __call__(self, model: Any, history: Any) -> None:
        """Draw the history so far."""
        figure = plot_history(Figure(figsize=(9, 3), layout="constrained"), history)
        if self.handle is None:
            self.handle = show(figure, self.alt, updatable=True)
        else:
            data, metadata = _picture(figure, self.alt)
            self.handle.update(data, raw=True, metadata=metadata)


def show(figure: Figure, alt: str, updatable: bool = False) -> "DisplayHandle | None":
    """Display a figure in a notebook as a PNG with alternative text, and close it.

    Args:
        figure: Any.
        alt: What the picture shows, for those who cannot see it.
        updatable: Whether to return a handle whose `update` replaces the picture.

    Raises:
        ValueError: alt is empty.
    """
    from IPython.display import display  # only notebooks need it

    data, metadata = _picture(figure, alt)
    return display(data, raw=True, metadata=metadata, display_id=updatable or None)


def _picture(figure: Figure, alt: str) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """A figure as display data, and metadata from which front ends take its text and its size."""
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the picture shows")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=SAVED_DPI, bbox_inches="tight")
    plt.close(figure)
    png, (width, height) = _with_few_colors(buffer)
    ratio = SAVED_DPI // SCREEN_DPI
    size = {"width": width // ratio, "height": height // ratio}
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": f"[figure: {alt}]"}
    return data, {"image/png": {"alt": alt, **size}}


def _with_few_colors(file: io.BytesIO) -> tuple[bytes, tuple[int, int]]:
    """A PNG with 256 colours, hardly different to the eye, in half the bytes; and its size."""
    picture = Image.open(file).convert("RGB")
    method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
    smaller = io.BytesIO()
    picture.quantize(256, method=method, dither=dither).save(smaller, format="png", optimize=True)
    return smaller.getvalue(), picture.size
