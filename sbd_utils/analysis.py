"""What the latents of a trained model say: posterior variance, informative latents, grids."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sbd_utils.data import (
    CIRCLE_SIZE,
    CircleStream,
    Factor,
    FactorStream,
    draw_circles,
    evaluation_grid,
)
from sbd_utils.metrics import Geometry, fit_geometry, held_out_r2, neighbor_r2
from sbd_utils.models import kl_divergence

INFORMATIVE = 0.5
"""A latent below this average posterior variance is called informative."""
CLEARLY_INFORMATIVE = 0.1
"""Both latents that matter are below it, for 'two latents' …"""
CLEARLY_SILENT = 0.7
"""… and every other above it."""
PAIR_SHARE = 0.95
"""Where more than the position varies, the pair holds at least this share of the grid's variance,
for 'geometry recovered' …"""
STRAIGHT_R2 = 0.99
"""Affine and similarity R² are at least this, for 'geometry recovered' …"""
SQUARED_ERROR_LIMIT = 5.0
"""… and the squared error per image is at most this, unless a recipe asks for less."""


@torch.no_grad()
def encode(model: Any, images: Tensor, batch_size: int = 50) -> tuple[Tensor, Tensor]:
    """Posterior means and log-variances of images, in batches.

    Args:
        model: A `VAE`, in eval mode, of any dtype and on any device.
        images: [N, C, H, H], floating-point.
        batch_size: Images at a time.

    Returns:
        [N, z_dim] each, float32 on the CPU.

    Raises:
        ValueError: images has another shape than the encoder takes, or holds whole numbers.
    """
    if not images.is_floating_point():
        raise ValueError(f"images holds {images.dtype}; it must be floating-point, in [0, 1]")
    like = next(model.parameters())
    parts = [model.encoder(part.to(like)) for part in images.split(batch_size)]
    mean, logvar = (torch.cat(p).float().cpu() for p in zip(*parts, strict=True))
    return mean, logvar


@torch.no_grad()
def decode(model: Any, z: Tensor, batch_size: int = 50) -> Tensor:
    """Images of codes, in batches.

    Args:
        model: A `VAE`, of any dtype and on any device.
        z: [N, z_dim].
        batch_size: Codes at a time.

    Returns:
        [N, C, H, H], float32 on the CPU; values may leave [0, 1].
    """
    like = next(model.parameters())
    return torch.cat([model.decoder(part.to(like)).float().cpu() for part in z.split(batch_size)])


def reconstruct(model: Any, images: Tensor) -> Tensor:
    """Images [N, C, H, H] encoded, and their posterior means decoded; values may leave [0, 1]."""
    return decode(model, encode(model, images)[0])


def interpolate(model: Any, x1: Tensor, x2: Tensor, steps: int = 9) -> Tensor:
    """Pictures on the straight line in latent space from one image to another.

    The line joins the posterior means, in even steps, both ends included.

    Args:
        model: A `VAE`.
        x1: [C, H, H].
        x2: [C, H, H].
        steps: Number of pictures.

    Returns:
        [steps, C, H, H].

    Raises:
        ValueError: steps is below 2.
    """
    if steps < 2:
        raise ValueError(f"steps is {steps}; a line with both its ends needs at least 2")
    (start, end), _ = encode(model, torch.stack([x1, x2]))  # [z_dim] each
    shares = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return decode(model, torch.lerp(start, end, shares))


def center_of_mass(images: Tensor, black: float = 0.0) -> Tensor:
    """The mean position of the light in each image, x and y in pixels.

    Pixel (i, j) has its middle at x = j + 0.5, y = i + 0.5.

    Args:
        images: [N, C, H, W] or [N, H, W]; the light of all channels counts.
        black: Values up to it count as no light: a decoder's background is not exactly 0.

    Returns:
        [N, 2], float32; not a number where an image has no light.

    Raises:
        ValueError: images has another shape.

    Example:
        >>> image = torch.zeros(1, 4, 4)
        >>> image[0, 1, 2] = 1.0
        >>> center_of_mass(image)
        tensor([[2.5000, 1.5000]])
    """
    if images.ndim not in (3, 4):
        shape = list(images.shape)
        raise ValueError(f"images has shape {shape}; it must be [N, C, H, W] or [N, H, W]")
    light = torch.where(images > black, images, 0).double()
    if light.ndim == 4:
        light = light.sum(1)  # [N, H, W]
    height, width = light.shape[1:]
    x = torch.arange(width, dtype=torch.float64, device=light.device) + 0.5
    y = torch.arange(height, dtype=torch.float64, device=light.device) + 0.5
    moments = torch.stack([light.sum(1) @ x, light.sum(2) @ y], 1)  # [N, 2]
    return (moments / light.sum((1, 2))[:, None]).float()


def spread_of_light(images: Tensor, black: float = 0.0) -> Tensor:
    """The root mean square distance of the light in each image from its centre of mass, in pixels.

    Args:
        images: [N, C, H, W] or [N, H, W].
        black: As in `center_of_mass`.

    Returns:
        [N], float32.
    """
    x, y = center_of_mass(images, black).double().T
    light = torch.where(images > black, images, 0).double()
    if light.ndim == 4:
        light = light.sum(1)  # [N, H, W]
    height, width = light.shape[1:]
    columns = torch.arange(width, device=light.device) + 0.5
    rows = torch.arange(height, device=light.device) + 0.5
    across = (columns - x[:, None]).square()  # [N, W]
    down = (rows - y[:, None]).square()  # [N, H]
    moment = (light.sum(1) * across).sum(1) + (light.sum(2) * down).sum(1)
    return (moment / light.sum((1, 2))).sqrt().float()


def decoder_jacobian(model: Any, z: Tensor, step: float = 0.004) -> Tensor:
    """How the decoded pictures react to each latent, by central differences.

    Args:
        model: A `VAE`.
        z: Codes [N, z_dim].
        step: Half the difference: small beside any change of the code that matters.

    Returns:
        [N, z_dim, pixels], grey per unit of the latent.
    """
    count, z_dim = z.shape
    nudges = step * torch.eye(z_dim)  # [latent, z_dim]
    codes = z[:, None, None] + torch.stack([nudges, -nudges])  # [N, 2, latent, z_dim]
    pictures = decode(model, codes.flatten(0, 2)).view(count, 2, z_dim, -1)
    return (pictures[:, 0] - pictures[:, 1]) / (2 * step)


class Traversal(NamedTuple):
    """What `traverse` returns."""

    images: Tensor
    """[L, steps, C, H, H]; row i changes latent `latents[i]` alone."""
    latents: list[int]
    """The latents traversed."""
    values: Tensor
    """[steps] the values given to each of them."""


def traverse(
    model: Any, z: Tensor, latents: Iterable[int] | None = None, span: float = 2.0, steps: int = 7
) -> Traversal:
    """Pictures of a code with one latent at a time set to even steps of values.

    Args:
        model: A `VAE`.
        z: [z_dim].
        latents: Which; by default all, in ascending order of the posterior variance of the picture
            that z decodes to.
        span: Values run from -span to span, in standard deviations of the prior.
        steps: Number of values.

    Raises:
        ValueError: latents is empty or names one that the model does not have, or steps is below 2.
    """
    z_dim = model.config["z_dim"]
    if latents is None:
        _, logvar = encode(model, decode(model, z[None]))
        latents = torch.argsort(logvar[0], stable=True).tolist()
    latents = [int(latent) for latent in latents]
    if not latents or not all(0 <= latent < z_dim for latent in latents):
        wanted = f"it must name some of this model's latents, 0 ... {z_dim - 1}"
        raise ValueError(f"latents is {latents}; {wanted}")
    if steps < 2:
        raise ValueError(f"steps is {steps}; a traversal with both its ends needs at least 2")
    values = torch.linspace(-span, span, steps, dtype=torch.float32, device=z.device)
    codes = z.repeat(len(latents), steps, 1)  # [L, steps, z_dim]
    for row, latent in enumerate(latents):
        codes[row, :, latent] = values
    images = decode(model, codes.flatten(0, 1)).unflatten(0, (len(latents), steps))
    return Traversal(images, latents, values)


def get_avg_variance(model: Any, loader: Iterable) -> Tensor:
    """Average posterior variance of each latent over a loader of image batches.

    Near 0: the latent is told apart finely, it carries information. Near 1: it is the prior,
    whatever the image.

    Args:
        model: A `VAE`.
        loader: A DataLoader or any iterable of batches, each a tensor [N, C, H, H] or a tuple that
            begins with one.

    Returns:
        [z_dim].

    Raises:
        ValueError: loader gives no image, or never ends.

    Example:
        >>> from sbd_utils import circles_dataset, load_pretrained
        >>> images, _ = circles_dataset(num_images=100).tensors
        >>> avg_var = get_avg_variance(load_pretrained("vae_circles_bw"), images.split(50))
        >>> len(avg_var), (avg_var < 0.5).sum().item()
        (10, 2)
    """
    source = getattr(loader, "dataset", loader)
    if isinstance(source, FactorStream):
        some = "take some batches of it, such as `itertools.islice(loader, 20)`"
        raise ValueError(f"loader gives the batches of a {type(source).__name__} for ever; {some}")
    sums, count = [], 0
    for batch in loader:
        images = batch if isinstance(batch, Tensor) else batch[0]
        _, logvar = encode(model, images)
        sums.append(logvar.exp().sum(0))  # [z_dim]
        count += len(images)
    if count == 0:
        raise ValueError("loader gave no images; the average needs at least one")
    return torch.stack(sums).sum(0) / count


def get_smallest_pair(avg_var: ArrayLike | Tensor) -> tuple[int, int]:
    """Numbers of the two latents of least average posterior variance, the least first.

    Args:
        avg_var: [z_dim] with z_dim at least 2.

    Raises:
        ValueError: It has another shape.

    Example:
        >>> get_smallest_pair([0.9, 0.02, 1.0, 0.01])
        (3, 1)
    """
    avg_var = torch.as_tensor(avg_var, device="cpu")
    if avg_var.ndim != 1 or len(avg_var) < 2:
        shape = list(avg_var.shape)
        raise ValueError(f"avg_var has shape {shape}; it must be [z_dim] with z_dim at least 2")
    first, second = torch.argsort(avg_var, stable=True)[:2].tolist()
    return first, second


def informative_latents(avg_var: ArrayLike | Tensor, threshold: float = INFORMATIVE) -> list[int]:
    """Latents whose average posterior variance [z_dim] is below the threshold, the least first."""
    avg_var = torch.as_tensor(avg_var, device="cpu")
    order = torch.argsort(avg_var, stable=True).tolist()
    return [latent for latent in order if avg_var[latent] < threshold]


def encode_coordinates(
    model: Any,
    x: ArrayLike | Tensor,
    y: ArrayLike | Tensor,
    x_latent: int,
    y_latent: int,
    size: float = CIRCLE_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a white circle at each position, encode it, and return the means of two latents.

    Args:
        model: A `VAE`.
        x: [N] in pixels.
        y: [N] in pixels.
        x_latent: Number of the latent that is returned first.
        y_latent: Number of the one returned second.
        size: Diameter in pixels.

    Returns:
        z1, z2, [N] each.

    Raises:
        ValueError: The model does not have such a latent.

    Example:
        >>> from sbd_utils import load_pretrained
        >>> model = load_pretrained("vae_circles_bw")
        >>> z1, z2 = encode_coordinates(model, [16, 32, 48], [32, 32, 32], 0, 1)
        >>> z1.shape, z2.shape
        ((3,), (3,))
    """
    z_dim = model.config["z_dim"]
    for name, latent in [("x_latent", x_latent), ("y_latent", y_latent)]:
        if not 0 <= latent < z_dim:
            raise ValueError(f"{name} is {latent}; this model's latents are 0 ... {z_dim - 1}")
    images = draw_circles(x, y, model.config["im_size"], size)
    mean, _ = encode(model, images.expand(-1, model.config["in_channels"], -1, -1))
    return mean[:, x_latent].numpy(), mean[:, y_latent].numpy()


def encode_grid(
    model: Any, first: int, second: int, height: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The evaluation grid, see `evaluation_grid`, and where two latents put it.

    Args:
        model: A `VAE`.
        first: Number of a latent.
        second: Number of another.
        height: Of the region of centres, as a share of its width.

    Returns:
        Centres xy [310, 2] in pixels, the means of the two latents z [310, 2], line labels [310].
    """
    xx, yy, labels = evaluation_grid(model.config["im_size"], height)
    z = encode_coordinates(model, xx, yy, first, second)
    return np.stack([xx, yy], 1), np.stack(z, 1), labels


class Scores(NamedTuple):
    """What is asked of a model; see `evaluate_model`."""

    variances: list[float]
    """Average posterior variances in ascending order."""
    pair: tuple[int, int]
    """The two latents of the position: of least variance, if nothing else varies in the data; else
    those whose means differ most along the evaluation grid."""
    informative: int
    """Number of informative latents."""
    grid: np.ndarray
    """[310, 2] the evaluation grid encoded in that pair."""
    geometry: Geometry
    """The fit of that grid, as far as training goes there."""
    squared_error: float
    """Summed over an image's pixels, averaged over the held-out images; the mean code decoded."""
    kl: float
    """KL divergence to the prior in nats, summed over latents, averaged over held-out images."""
    linear_r2: float | None
    """R² of (x, y) by least squares from all latents, see `held_out_r2`; None for few images."""
    neighbor_r2: float | None
    """The same by the mean of the five nearest codes, see `neighbor_r2`."""
    factor_r2: dict[str, float] | None = None
    """R² of each factor that varies, by least squares from all latents; None for few images. Of an
    angle or a hue it is the smaller one of its cosine's and its sine's, of kinds that of the kind
    that is told worst. An angle that a shape's symmetry hides is counted as any other."""
    pair_share: float = 1.0
    """How much of the variance of the means along the evaluation grid is in the pair."""
    position_alone: bool = True
    """Whether nothing but the position varies in the data."""

    @property
    def two_latents(self) -> bool:
        """Exactly two latents matter, clearly: variances below 0.1, every other above 0.7."""
        others = self.variances[2:]
        loud = self.variances[1] < CLEARLY_INFORMATIVE
        return loud and (not others or others[0] > CLEARLY_SILENT)

    def recovered(self, max_squared_error: float = SQUARED_ERROR_LIMIT) -> bool:
        """Geometry recovered: two latents, R² of 0.99 by both fits, a small squared error.

        Where other factors vary, too, more latents than two matter. Then the position, all else
        fixed, must be in two of them.
        """
        straight = min(self.geometry.affine_r2, self.geometry.similarity_r2) >= STRAIGHT_R2
        alone = self.two_latents if self.position_alone else self.pair_share >= PAIR_SHARE
        return alone and straight and self.squared_error <= max_squared_error


def evaluate_circles(
    model: Any,
    num_images: int = 1000,
    seed: int = 1_000_003,
    stream: type[CircleStream] = CircleStream,
) -> Scores:
    """Score a model on the evaluation grid and on held-out circles.

    Args:
        model: A `VAE` in eval mode.
        num_images: Number of held-out circles.
        seed: Of the held-out circles; one that training does not use.
        stream: What the model was trained on: where the circles' centres are.

    Example:
        >>> from sbd_utils import load_pretrained
        >>> scores = evaluate_circles(load_pretrained("vae_circles_bw"), num_images=100)
        >>> scores.informative, round(scores.geometry.affine_r2, 3), scores.recovered()
        (2, 1.0, True)
    """
    return evaluate_model(model, stream(im_size=model.config["im_size"]), num_images, seed)


def evaluate_model(
    model: Any, source: FactorStream, num_images: int = 1000, seed: int = 1_000_003
) -> Scores:
    """Score a model on the evaluation grid and on held-out images of a data set.

    The position is what the data set's `plane` says: x and y, unless they do not vary.

    Args:
        model: A `VAE` in eval mode.
        source: What the model was trained on.
        num_images: Number of held-out images.
        seed: Of the held-out images; one that training does not use.

    Raises:
        ValueError: The model takes other images than the data set has.
    """
    factors = source.sample(num_images, torch.Generator().manual_seed(seed))  # [N, F]
    images = images_for(model, source, factors)
    mean, logvar = encode(model, images)
    variances = logvar.exp().mean(0)  # [z_dim]
    squared_error = (decode(model, mean) - images).square().sum((1, 2, 3)).mean()
    xx, yy, _ = source.lines()
    places = source.place(xx, yy)  # [310, F]
    codes, _ = encode(model, images_for(model, source, places))  # [310, z_dim]
    spread = codes.var(0)
    alone = not source.free
    pair = get_smallest_pair(variances if alone else -spread)
    xy, z = np.stack([xx, yy], 1), codes[:, list(pair)].numpy()
    trained = source.holds(places).numpy()
    enough = num_images >= 2 * (mean.shape[1] + 2)  # for a fit to one half
    position = factors[:, list(source.plane)]
    return Scores(
        variances=variances.sort().values.tolist(),
        pair=pair,
        informative=len(informative_latents(variances)),
        grid=z,
        geometry=fit_geometry(xy[trained], z[trained]),
        squared_error=squared_error.item(),
        kl=kl_divergence(mean, logvar).sum(1).mean().item(),
        linear_r2=held_out_r2(mean, position) if enough else None,
        neighbor_r2=neighbor_r2(mean, position) if enough else None,
        factor_r2=factor_r2(mean, factors, source.factors) if enough else None,
        pair_share=(spread[list(pair)].sum() / spread.sum()).item(),
        position_alone=alone,
    )


def images_for(model: Any, source: FactorStream, factors: Tensor) -> Tensor:
    """Images of factors in as many channels as the model takes; grey ones in three.

    Args:
        model: A `VAE`.
        source: The data set.
        factors: [N, F].

    Returns:
        [N, C, H, W].

    Raises:
        ValueError: The model takes other images than the data set has.
    """
    wanted, channels = model.config["in_channels"], source.channels
    if channels not in (1, wanted):
        taken = f"it takes images of {wanted} channels, and the data set has {channels}"
        raise ValueError(f"model is of another data set: {taken}")
    return source.render(factors).expand(-1, wanted, -1, -1)


def factor_r2(mean: Tensor, factors: Tensor, known: Sequence[Factor]) -> dict[str, float]:
    """R² of each factor that varies, by all latents: see `Scores.factor_r2`.

    Args:
        mean: Codes [N, z_dim], in random order.
        factors: [N, F].
        known: What the columns of factors are.

    Raises:
        ValueError: See `held_out_r2`.
    """
    found = {}
    for column, factor in zip(factors.double().T, known, strict=True):
        if not factor.varies:
            continue
        if factor.kinds:
            targets = [(column == level).double() for level in factor.levels]
        elif factor.period:
            turn = 2 * math.pi * column / factor.period
            targets = [turn.cos(), turn.sin()]
        else:
            targets = [column]
        found[factor.name] = held_out_r2(mean, torch.stack(targets, 1))
    return found
