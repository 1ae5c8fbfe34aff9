"""Every figure that two notebooks share. Functions draw into the figure or axes they are given and return it."""

import base64
import io
import math

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from torch import Tensor

from sbd_utils.analysis import INFORMATIVE, Traversal, encode_grid, evaluate_circles

# Okabe & Ito's colours, told apart with any colour vision; the order also alternates dark and light for grey print.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def plot_examples(examples, title: str = "", columns: int | None = None) -> Figure:
    """Show a batch of images as one grid in the current figure.

    examples: [N, C, H, W] with C 1 (grey) or 3 (RGB), or one grey image [H, W]; a tensor or array, clamped to [0, 1].
    columns: images per row, by default such that the grid is about square.
    Raises ValueError for another shape or no image.
    """
    images = torch.as_tensor(examples).detach().float().cpu().clamp(0, 1)
    images = images[None, None] if images.ndim == 2 else images
    if images.ndim != 4 or len(images) == 0 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"examples has shape {list(images.shape)}; it must be [N, 1 or 3, H, W] with N at least 1"
        )
    figure = plt.gcf()
    ax = figure.gca()
    ax.imshow(
        image_grid(images, columns or math.ceil(math.sqrt(len(images)))),
        cmap="gray",
        vmin=0,
        vmax=1,
    )
    ax.set_axis_off()
    ax.set_title(title)
    return figure


def image_grid(images: Tensor, columns: int, gap: int = 2, background: float = 0.5) -> np.ndarray:
    """Images [N, C, H, W] side by side on mid-grey, row after row: [height, width, C], or [height, width] for grey."""
    n, c, h, w = images.shape
    rows = math.ceil(n / columns)
    grid = torch.full((c, rows * (h + gap) + gap, columns * (w + gap) + gap), background)
    for i, image in enumerate(images):
        top, left = gap + (i // columns) * (h + gap), gap + (i % columns) * (w + gap)
        grid[:, top : top + h, left : left + w] = image
    return grid[0].numpy() if c == 1 else grid.permute(1, 2, 0).numpy()


def plot_coordinate_grid(
    ax: Axes, x, y, labels, title: str = "", names=("x (pixels)", "y (pixels)")
) -> Axes:
    """Draw the lines of `generate_spaced_coordinates`, in the image plane or wherever an encoder sent them.

    x, y, labels: [N]. The first half of the lines (vertical in the image) is blue and solid, the second half orange and
    dashed, each from dark to light in the order of its labels. The first point of every line is a dot.
    """
    x, y, labels = (np.asarray(values) for values in (x, y, labels))
    lines = np.unique(labels)
    half = (len(lines) + 1) // 2
    for number, label in enumerate(lines):
        on = labels == label
        first = number < half
        shade = (number % half) / max(half - 1, 1)
        color = plt.get_cmap("Blues" if first else "Oranges")(0.95 - 0.5 * shade)
        ax.plot(x[on], y[on], color=color, linestyle="-" if first else "--", linewidth=1.5)
        ax.plot(x[on][0], y[on][0], "o", color=color, markersize=4)
    ax.set(title=title, xlabel=names[0], ylabel=names[1])
    ax.set_aspect("equal", adjustable="datalim")
    return ax


def plot_grid_pair(
    figure: Figure, xy, z, labels, pair=(0, 1), im_size: int = 64, title: str = ""
) -> Figure:
    """A grid of positions in the image (left) and where an encoder put them (right), lines connected.

    xy, z: [N, 2], labels: [N], as `encode_grid` returns them; pair: the latents' numbers, for the axes.
    """
    xy, z = np.asarray(xy), np.asarray(z)
    left, right = figure.subplots(1, 2)
    plot_coordinate_grid(left, *xy.T, labels, "centres of the circles")
    left.set_aspect("equal", adjustable="box")
    left.set(xlim=(0, im_size), ylim=(im_size, 0))  # y runs downwards, as in the image
    plot_coordinate_grid(
        right, *z.T, labels, title or "their codes", names=[f"mean of latent {i}" for i in pair]
    )
    return figure


def plot_fit(
    ax: Axes, xy, z, labels, matrix, title: str = "", names=("mean of first latent", "second")
) -> Axes:
    """The encoded grid z [N, 2] with the fitted straight map of its positions xy [N, 2] laid over it in black.

    matrix: [3, 2], `Geometry.affine` or `Geometry.similarity`.
    """
    plot_coordinate_grid(ax, *np.asarray(z).T, labels, title, names)
    fitted = apply_map(xy, matrix)
    for label in np.unique(labels):
        ax.plot(
            *fitted[np.asarray(labels) == label].T,
            color="black",
            linewidth=0.7,
            linestyle=(0, (1, 2)),
            zorder=3,
        )
    return ax


def plot_residuals(
    ax: Axes, xy, z, matrix, magnify: float = 10, im_size: int = 64, title: str = ""
) -> Axes:
    """How far each code lies from the fitted straight map, as arrows in the image, in pixels times `magnify`.

    xy, z: [N, 2]; matrix: [3, 2], `Geometry.affine` or `Geometry.similarity`. An arrow starts at the true position and
    points to where the map's inverse puts the code. Raises ValueError if the map has no inverse.
    """
    xy, matrix = np.asarray(xy), np.asarray(matrix)
    if np.linalg.matrix_rank(matrix[:2]) < 2:
        raise ValueError(
            "matrix flattens the plane to a line; its residuals have no place in the image"
        )
    arrows = (np.asarray(z) - apply_map(xy, matrix)) @ np.linalg.inv(matrix[:2])  # [N, 2] pixels
    ax.quiver(
        *xy.T,
        *(magnify * arrows).T,
        angles="xy",
        scale_units="xy",
        scale=1,
        width=0.004,
        color=OKABE_ITO[0],
    )
    ax.set_aspect("equal", adjustable="box")
    ax.set(xlim=(0, im_size), ylim=(im_size, 0), xlabel="x (pixels)", ylabel="y (pixels)")
    ax.set_title(title or f"residuals × {magnify:g}")
    return ax


def apply_map(xy, matrix) -> np.ndarray:
    """Positions xy [N, 2] sent through a fitted straight map [3, 2]: `[x, y, 1] @ matrix`."""
    return np.asarray(xy) @ np.asarray(matrix)[:2] + np.asarray(matrix)[2]


def plot_variances(
    ax: Axes, avg_var, sort: bool = True, threshold: float = INFORMATIVE, title: str = ""
) -> Axes:
    """Average posterior variances [z_dim] as bars that hang from the prior's value, 1, on a logarithmic axis.

    Every halving of the variance makes a bar longer by the same amount: half a bit. Informative latents, those below
    the threshold, are dark, hatched and labelled with their value. sort: the least first, else by number.
    """
    avg_var = np.asarray(avg_var, dtype=float)
    order = np.argsort(avg_var, kind="stable") if sort else np.arange(len(avg_var))
    for place, latent in enumerate(order):
        value, informative = avg_var[latent], avg_var[latent] < threshold
        style = (
            dict(color=OKABE_ITO[0], hatch="//", edgecolor="white")
            if informative
            else dict(color="0.75")
        )
        ax.bar(place, value - 1, bottom=1, width=0.7, **style)
        if informative:
            ax.annotate(
                f"{value:.1g}",
                (place, value),
                (0, -3),
                textcoords="offset points",
                ha="center",
                va="top",
            )
    ax.axhline(1, color="black", linewidth=1, label="the prior's variance, 1")
    ax.axhline(
        threshold,
        color="black",
        linewidth=1,
        linestyle=":",
        label=f"informative below {threshold:g}",
    )
    ax.set_yscale("log")
    ax.set_ylim(min(avg_var.min() / 4, threshold / 4), max(2, 1.5 * avg_var.max()))
    ax.set_xticks(range(len(order)), [str(latent) for latent in order])
    ax.set(xlabel="latent", ylabel="average posterior variance", title=title)
    ax.legend(frameon=False, loc="lower right")
    return ax


def plot_strip(ax: Axes, images, captions=None, title: str = "") -> Axes:
    """Images [N, C, H, W] side by side in one row, clamped to [0, 1]; captions: N texts beneath them."""
    images = torch.as_tensor(images).detach().float().cpu().clamp(0, 1)
    _draw_table(ax, images, columns=len(images), below=captions)
    ax.set_title(title)
    return ax


def plot_traversals(ax: Axes, traversal: Traversal, title: str = "") -> Axes:
    """What `traverse` returned as a table: a row for each latent, named at its left, the values beneath."""
    images = traversal.images.flatten(0, 1).clamp(0, 1)
    values = [f"{value:.1f}".replace("-0.0", "0.0") for value in traversal.values.tolist()]
    _draw_table(
        ax,
        images,
        len(values),
        below=values,
        left=[f"latent {latent}" for latent in traversal.latents],
    )
    ax.set(title=title, xlabel="value of the latent (standard deviations of the prior)")
    return ax


def _draw_table(
    ax: Axes, images: Tensor, columns: int, below=None, left=None, gap: int = 2
) -> None:
    """Images as one grid, with texts centred under its columns and at the left of its rows."""
    h, w = images.shape[-2:]
    ax.imshow(image_grid(images, columns, gap), cmap="gray", vmin=0, vmax=1)
    ax.set_xticks([gap + w / 2 - 0.5 + i * (w + gap) for i in range(len(below or []))], below or [])
    ax.set_yticks([gap + h / 2 - 0.5 + i * (h + gap) for i in range(len(left or []))], left or [])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def plot_headline(figure: Figure, models: dict) -> Figure:
    """The evaluation grid as it is, then as each model's two latents of least variance encode it, side by side.

    models: VAEs by the name to print. Under each name stand the similarity R² and the squared error per image.
    """
    first, *others = figure.subplots(1, 1 + len(models))
    for ax, (name, model) in zip(others, models.items(), strict=True):
        scores = evaluate_circles(model)
        title = f"{name}: R² {scores.geometry.similarity_r2:.2f}, squared error {scores.squared_error:.1f}"
        names = [f"mean of latent {latent}" for latent in scores.pair]
        xy, z, labels = encode_grid(
            model, *scores.pair
        )  # xy and labels are the same for every model
        plot_coordinate_grid(ax, *z.T, labels, title, names)
    plot_coordinate_grid(first, *xy.T, labels, "circle positions")
    first.invert_yaxis()
    return figure


def plot_history(figure: Figure, history) -> Figure:
    """Squared error and the KL of every latent over the updates of a `History`, side by side.

    The two latents that end highest are blue and orange, the others grey and thin; a latent at 0 says nothing.
    """
    left, right = figure.subplots(1, 2)
    updates = np.arange(1, len(history.squared_error) + 1)
    left.plot(updates, history.squared_error, color=OKABE_ITO[0], linewidth=1)
    left.set(yscale="log", xlabel="update", ylabel="squared error per image")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.yaxis.set_minor_formatter(NullFormatter())
    for rank, latent in enumerate(history.kl[-20:].mean(0).argsort(descending=True).tolist()):
        style = (
            dict(color=OKABE_ITO[rank], linewidth=2)
            if rank < 2
            else dict(color="0.6", linewidth=0.8)
        )
        label = f"latent {latent}" if rank < 2 else "the others" if rank == 2 else None
        right.plot(
            updates,
            history.kl[:, latent],
            label=label,
            linestyle="--" if rank == 1 else "-",
            **style,
        )
    right.set(xlabel="update", ylabel="KL (nats)")
    right.legend(loc="upper left", frameon=False)
    return figure


class LivePlot:
    """A callback for `fit` that redraws `plot_history` in one place while training runs in a notebook."""

    def __init__(
        self, alt: str = "Squared error and the KL of every latent over the updates so far."
    ):
        self.alt, self.handle = alt, None

    def __call__(self, model, history) -> None:
        figure = plot_history(Figure(figsize=(9, 3), layout="constrained"), history)
        if self.handle is None:
            self.handle = show(figure, self.alt, updatable=True)
        else:
            data, metadata = _picture(figure, self.alt)
            self.handle.update(data, raw=True, metadata=metadata)


def show(figure: Figure, alt: str, updatable: bool = False):
    """Display a figure in a notebook as a PNG with alternative text, and close it.

    alt: what the picture shows, for those who cannot see it. Raises ValueError if it is empty.
    updatable: whether to return a handle whose `update` replaces the picture.
    """
    from IPython.display import display  # only notebooks need it

    data, metadata = _picture(figure, alt)
    return display(data, raw=True, metadata=metadata, display_id=updatable or None)


def _picture(figure: Figure, alt: str) -> tuple[dict, dict]:
    """A figure as display data and metadata; nbconvert reads the alternative text from the latter."""
    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the picture shows")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, bbox_inches="tight")
    plt.close(figure)
    picture = base64.b64encode(buffer.getvalue()).decode()
    return {"image/png": picture, "text/plain": f"[figure: {alt}]"}, {"image/png": {"alt": alt}}
