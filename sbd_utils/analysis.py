"""What a trained model's latent space looks like: posterior variance, informative latents, encoded grids."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sbd_utils.datasets import CIRCLE_SIZE, circles_dataset, generate_spaced_coordinates
from sbd_utils.metrics import Geometry, fit_geometry
from sbd_utils.models import VAE
from sbd_utils.sprites import render_batch

INFORMATIVE = 0.5  # a latent below this average posterior variance is called informative
GRID = dict(low=12, high=52, num_points=31, levels=5)  # the evaluation grid, in pixels of a 64 x 64 image


@torch.no_grad()
def encode(model: VAE, images: Tensor, batch_size: int = 250) -> tuple[Tensor, Tensor]:
    """Posterior means and log-variances [N, z_dim] each, on the CPU, of images [N, C, H, H], in batches."""
    device = next(model.parameters()).device
    parts = [model.encoder(part.to(device)) for part in images.split(batch_size)]
    mean, logvar = (torch.cat(p).float().cpu() for p in zip(*parts, strict=True))
    return mean, logvar


@torch.no_grad()
def decode(model: VAE, z: Tensor, batch_size: int = 250) -> Tensor:
    """Images [N, C, H, H], on the CPU, of codes z [N, z_dim], in batches. Values may leave [0, 1]."""
    device = next(model.parameters()).device
    return torch.cat([model.decoder(part.to(device)).float().cpu() for part in z.split(batch_size)])


def reconstruct(model: VAE, images: Tensor) -> Tensor:
    """Images [N, C, H, H] encoded and decoded again from their posterior means; values may leave [0, 1]."""
    return decode(model, encode(model, images)[0])


def interpolate(model: VAE, x1: Tensor, x2: Tensor, steps: int = 9) -> Tensor:
    """Pictures [steps, C, H, H] on the straight line in latent space from image x1 to image x2, [C, H, H] each.

    The line joins the posterior means, in even steps, both ends included. Raises ValueError for steps below 2.
    """
    if steps < 2:
        raise ValueError(f"steps is {steps}; a line with both its ends needs at least 2")
    (start, end), _ = encode(model, torch.stack([x1, x2]))  # [z_dim] each
    return decode(model, torch.lerp(start, end, torch.linspace(0, 1, steps)[:, None]))


class Traversal(NamedTuple):
    """What `traverse` returns."""

    images: Tensor
    """[L, steps, C, H, H]; row i changes latent `latents[i]` alone."""
    latents: list[int]
    """The latents traversed."""
    values: Tensor
    """[steps] the values given to each of them."""


def traverse(
    model: VAE, z: Tensor, latents: Iterable[int] | None = None, span: float = 2.0, steps: int = 7
) -> Traversal:
    """Pictures of a code z [z_dim] with one latent at a time set to `steps` values from -span to span.

    latents: which; by default all, in ascending order of the posterior variance of the picture that z decodes to.
    span is in standard deviations of the prior. Raises ValueError for a latent the model does not have, none, or
    steps below 2.
    """
    z_dim = model.config["z_dim"]
    if latents is None:
        _, logvar = encode(model, decode(model, z[None]))
        latents = torch.argsort(logvar[0], stable=True)
    latents = [int(latent) for latent in latents]
    if not latents or not all(0 <= latent < z_dim for latent in latents):
        raise ValueError(f"latents is {latents}; it must name some of this model's latents, 0 ... {z_dim - 1}")
    if steps < 2:
        raise ValueError(f"steps is {steps}; a traversal with both its ends needs at least 2")
    values = torch.linspace(-span, span, steps)
    codes = z.repeat(len(latents), steps, 1)  # [L, steps, z_dim]
    for row, latent in enumerate(latents):
        codes[row, :, latent] = values
    return Traversal(decode(model, codes.flatten(0, 1)).unflatten(0, (len(latents), steps)), latents, values)


def get_avg_variance(model: VAE, loader: Iterable) -> Tensor:
    """Average posterior variance of each latent, [z_dim], over a loader of image batches.

    loader: a DataLoader or any iterable of batches, each a tensor [N, C, H, H] or a tuple that begins with one.
    Near 0: the latent is told apart finely, it carries information. Near 1: it is the prior, whatever the image.
    Raises ValueError if the loader is empty.
    """
    total, count = 0, 0
    for batch in loader:
        images = batch if isinstance(batch, Tensor) else batch[0]
        _, logvar = encode(model, images)
        total = total + logvar.exp().sum(0)
        count += len(images)
    if count == 0:
        raise ValueError("loader gave no images; the average needs at least one")
    return total / count


def get_smallest_pair(avg_var: Tensor) -> tuple[int, int]:
    """Indices of the two latents of least average posterior variance, the least first; avg_var: [z_dim]."""
    avg_var = torch.as_tensor(avg_var)
    if avg_var.ndim != 1 or len(avg_var) < 2:
        raise ValueError(f"avg_var has shape {list(avg_var.shape)}; it must be [z_dim] with z_dim at least 2")
    first, second = torch.argsort(avg_var, stable=True)[:2].tolist()
    return first, second


def informative_latents(avg_var: Tensor, threshold: float = INFORMATIVE) -> list[int]:
    """Latents whose average posterior variance [z_dim] is below the threshold, the least first."""
    order = torch.argsort(torch.as_tensor(avg_var), stable=True).tolist()
    return [i for i in order if avg_var[i] < threshold]


def encode_coordinates(
    model: VAE, x, y, x_latent: int, y_latent: int, size: float = CIRCLE_SIZE
) -> tuple[np.ndarray, np.ndarray]:
    """Render a white circle at each (x, y) [N] (pixels), encode it, return the means of two latents, [N] each.

    size: diameter in pixels. Raises ValueError for a latent the model does not have.
    """
    z_dim = model.config["z_dim"]
    for name, latent in [("x_latent", x_latent), ("y_latent", y_latent)]:
        if not 0 <= latent < z_dim:
            raise ValueError(f"{name} is {latent}; this model's latents are 0 ... {z_dim - 1}")
    images = render_batch("ellipse", x, y, size, img_size=model.config["im_size"])
    mean, _ = encode(model, images.expand(-1, model.config["in_channels"], -1, -1))
    return mean[:, x_latent].numpy(), mean[:, y_latent].numpy()


def encode_grid(model: VAE, first: int, second: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The evaluation grid: centres xy [310, 2] in pixels, the means of two latents z [310, 2], line labels [310]."""
    xx, yy, labels = generate_spaced_coordinates(**GRID)
    z = encode_coordinates(model, xx, yy, first, second)
    return np.stack([xx, yy], 1), np.stack(z, 1), labels


class Scores(NamedTuple):
    """What is asked of a model of the circles; see `evaluate_circles`."""

    variances: list[float]
    """Average posterior variances in ascending order."""
    pair: tuple[int, int]
    """The two latents of least variance."""
    informative: int
    """Number of informative latents."""
    grid: np.ndarray
    """[310, 2] the evaluation grid encoded in that pair."""
    geometry: Geometry
    """The fit of that grid."""
    squared_error: float
    """Summed over an image's pixels, averaged over the held-out images; the mean code decoded."""
    kl: float
    """KL divergence to the prior in nats, summed over latents, averaged over the held-out images."""

    @property
    def two_latents(self) -> bool:
        """Exactly two latents matter, clearly: variances below 0.1, every other above 0.7."""
        return self.variances[1] < 0.1 and (len(self.variances) == 2 or self.variances[2] > 0.7)

    def recovered(self, max_squared_error: float = 5.0) -> bool:
        """Geometry recovered: two latents, affine and similarity R² of at least 0.99, a small squared error."""
        straight = min(self.geometry.affine_r2, self.geometry.similarity_r2) >= 0.99
        return self.two_latents and straight and self.squared_error <= max_squared_error


def evaluate_circles(model: VAE, num_images: int = 1000, seed: int = 1_000_003) -> Scores:
    """Score a model on the evaluation grid and on held-out circles (a seed that training does not use)."""
    images, _ = circles_dataset(num_images, seed, model.config["im_size"]).tensors
    images = images.expand(-1, model.config["in_channels"], -1, -1)
    mean, logvar = encode(model, images)
    variances = logvar.exp().mean(0)  # [z_dim]
    squared_error = (decode(model, mean) - images).square().sum((1, 2, 3)).mean().item()
    pair = get_smallest_pair(variances)
    xy, z, _ = encode_grid(model, *pair)
    return Scores(
        variances=variances.sort().values.tolist(),
        pair=pair,
        informative=len(informative_latents(variances)),
        grid=z,
        geometry=fit_geometry(xy, z),
        squared_error=squared_error,
        kl=0.5 * (mean.square() + logvar.exp() - logvar - 1).sum(1).mean().item(),
    )
