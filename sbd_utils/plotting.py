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

# Okabe & Ito's colours, told apart with any colour vision; the order also alternates dark and light for grey print.
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000")


def plot_examples(examples, title: str = "", columns: int | None = None) -> Figure:
    """Show a batch of images as one grid in the current figure.

    examples: [N, C, H, W] with C 1 (grey) or 3 (RGB), a tensor or array; clamped to [0, 1].
    columns: images per row, by default such that the grid is about square.
    Raises ValueError for another shape or no image.
    """
    images = torch.as_tensor(examples).detach().float().cpu().clamp(0, 1)
    if images.ndim != 4 or len(images) == 0 or images.shape[1] not in (1, 3):
        raise ValueError(f"examples has shape {list(images.shape)}; it must be [N, 1 or 3, H, W] with N at least 1")
    figure = plt.gcf()
    ax = figure.gca()
    ax.imshow(image_grid(images, columns or math.ceil(math.sqrt(len(images)))), cmap="gray", vmin=0, vmax=1)
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


def plot_coordinate_grid(ax: Axes, x, y, labels, title: str = "", names=("x (pixels)", "y (pixels)")) -> Axes:
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
        style = dict(color=OKABE_ITO[rank], linewidth=2) if rank < 2 else dict(color="0.6", linewidth=0.8)
        label = f"latent {latent}" if rank < 2 else "the others" if rank == 2 else None
        right.plot(updates, history.kl[:, latent], label=label, linestyle="--" if rank == 1 else "-", **style)
    right.set(xlabel="update", ylabel="KL (nats)")
    right.legend(loc="upper left", frameon=False)
    return figure


class LivePlot:
    """A callback for `fit` that redraws `plot_history` in one place while training runs in a notebook."""

    def __init__(self, alt: str = "Squared error and the KL of every latent over the updates so far."):
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
