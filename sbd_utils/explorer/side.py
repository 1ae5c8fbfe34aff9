"""One model in the explorer, what it says of the circles, and the code in its hand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from sbd_utils.analysis import (
    decode,
    encode,
    get_avg_variance,
    get_smallest_pair,
    informative_latents,
)
from sbd_utils.data import CircleStream, FactorStream
from sbd_utils.explorer.events import Name, shortened
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.explorer.spots import DARK
from sbd_utils.models import VAE, sample_posterior

LATTICE = 10
"""Where only the place varies, posterior variances are averaged over LATTICE x LATTICE places."""
SAMPLES = 256
"""Of other data they are averaged over this many random images."""

FIELD = 7
"""Small pictures behind a plane, in each direction."""
FIELD_SIZE = 32
"""Their width in pixels, at most."""
WALK = (0.25, 0.75)
"""Where the circles lie between whose codes one walks, in shares of where centres may lie, on the
diagonal."""
SCALE_SAMPLES = 32
"""Codes from the prior that say how dark a model's pictures are."""


class RankedLatent(NamedTuple):
    """A latent in the order of `Side.ranked`."""

    latent: int
    variance: float
    """Average posterior variance."""
    informative: bool


class Side:
    """One model, what it says of the data, and a code that is moved and decoded."""

    def __init__(self, name: Name, model: VAE, data: FactorStream | None = None) -> None:
        """Encode the lattice and the evaluation grid.

        Args:
            name: What the model is called.
            model: A model of grey or RGB images with two latents or more, of any floating-point
                dtype and on any device.
            data: Where images come from; by default circles.

        Raises:
            ValueError: The model is another one, or its codes or pictures are not finite.
        """
        _check_model(name, model, data)
        self.name, self.model = name, model
        self.im_size: int = model.config["im_size"]
        self.channels: int = model.config["in_channels"]
        self.data = CircleStream(im_size=self.im_size) if data is None else data
        """Where images come from."""
        self.take_others(self.data.middle)
        self.variances = get_avg_variance(model, [self._images(self._lattice())])
        """[z_dim] average posterior variances, over the whole of the data."""
        xx, yy, labels = self.data.lines()
        means, _ = encode(model, self._circles(xx, yy))
        self.grid = means.unflatten(0, (labels.max() + 1, -1))
        """[lines, points, z_dim] the evaluation grid, encoded."""
        _check_finite(name, self.variances, self.grid)
        spread = self.grid.flatten(0, 1).var(0)
        self.pair = get_smallest_pair(-spread if self.data.free else self.variances)
        """The latents of the position; see `Scores.pair`."""
        self.axes = self.pair
        """The latents shown to the right and upwards."""
        self.trail: list[Tensor] = []
        """The codes [z_dim] of the circle's last positions."""
        self.scale = (0.0, 1.0)
        """The values that are shown black and white."""
        x, y = (self.data.factors[column].middle for column in self.data.plane)
        self.encode((x, y))
        self.middle = self.mean
        """[z_dim] the code of the circle in the middle."""
        _check_finite(name, decode(model, self.z[None]))
        if self.picture.max() < DARK:
            self._find_scale()

    @property
    def z_dim(self) -> int:
        """Number of latents."""
        return len(self.variances)

    def encode(self, circle: tuple[float, float]) -> None:
        """Take the posterior of a circle, of its centre in pixels, and decode its mean.

        Of other data it is the image at that place, see `FactorStream.plane`; so it is below.
        """
        mean, logvar = encode(self.model, self._circles(*circle))
        self.mean = mean[0]
        """[z_dim] of the posterior of the circle."""
        self.std = (logvar[0] / 2).exp()
        """[z_dim] of the posterior of the circle."""
        self.move(self.mean)

    def encode_means(self, circles: Sequence[tuple[float, float]]) -> list[Tensor]:
        """The means [z_dim] of circles, their centres in pixels; none for none."""
        if not circles:
            return []
        x, y = np.transpose(circles)
        return list(encode(self.model, self._circles(x, y))[0])

    def take_others(self, others: Tensor) -> None:
        """Take all factors [F] of the image but its place."""
        self.others = others
        """[F] of the image: all factors but its place."""
        self._walk_ends: list[Tensor] = []

    @property
    def walk_ends(self) -> list[Tensor]:
        """The codes [z_dim] of the two circles between which one walks."""
        if not self._walk_ends:  # since the other factors changed
            x, y = (self.data.factors[column] for column in self.data.plane)
            self._walk_ends = self.encode_means(
                [(x.low + w * (x.high - x.low), y.low + w * (y.high - y.low)) for w in WALK]
            )
        return self._walk_ends

    def move(self, z: Tensor) -> None:
        """Take a code [z_dim] and decode it."""
        self.z = z
        """[z_dim] the code that is decoded."""
        self.picture = self.to_picture(decode(self.model, z[None])[0])
        """uint8 [H, H] or [H, H, 3], decoded from z and clamped to `scale`."""

    def to_picture(self, image: Tensor) -> np.ndarray:
        """A decoded image [C, H, H] as bytes, black and white where `scale` has them."""
        black, white = self.scale
        return to_bytes((image - black) / (white - black))

    def field_row(self, row: int, span: float) -> np.ndarray:
        """Small pictures across the plane: what its places decode to.

        Latents that are not on the axes are those of the circle in the middle.

        Args:
            row: 0 for the uppermost … FIELD - 1.
            span: The plane reaches from -span to span.

        Returns:
            uint8 [FIELD, S, S] or [FIELD, S, S, 3] from left to right.

        Raises:
            ValueError: There is no such row.
        """
        if not 0 <= row < FIELD:
            raise ValueError(f"row is {shortened(row)}; rows are 0 ... {FIELD - 1}")
        right, up = self.axes
        places = span * (2 * (torch.arange(FIELD, device="cpu") + 0.5) / FIELD - 1)
        z = self.middle.repeat(FIELD, 1)
        z[:, right] = places.to(z)
        z[:, up] = -places[row].to(z)
        size = min(FIELD_SIZE, self.im_size)
        images = adaptive_avg_pool2d(decode(self.model, z), size)
        return np.stack([self.to_picture(image) for image in images])

    def trail_in(self, latents: Sequence[int]) -> list[list[float]]:
        """The trail in some latents, a list of their values for each position."""
        return torch.stack(self.trail)[:, latents].tolist() if self.trail else []

    def trail_lengths(self) -> tuple[float, float]:
        """Length of the trail, and of the straight line between its ends.

        Both in all informative latents, so that no choice of axes hides a detour; in all latents
        where none informs.
        """
        counted = informative_latents(self.variances) or list(range(self.z_dim))
        if not self.trail:
            return 0.0, 0.0
        return find_lengths(torch.stack(self.trail)[:, counted])

    def set(self, values: dict[int, float]) -> None:
        """Take the present code with other values for some latents, and decode it."""
        z = self.z.clone()
        for latent, value in values.items():
            z[latent] = value
        self.move(z)

    def sample_prior(self, generator: torch.Generator, span: float) -> None:
        """Take a code from N(0, 1), clamped to -span … span, and decode it."""
        self.move(_noise(self.z_dim, generator).clamp(-span, span))

    def sample_posterior(self, generator: torch.Generator) -> None:
        """Take a code from the posterior of the circle, and decode it."""
        noise = _noise(self.z_dim, generator)
        self.move(sample_posterior(self.mean, 2 * self.std.log(), noise))

    def ranked(self) -> list[RankedLatent]:
        """All latents in ascending order of posterior variance."""
        order = torch.argsort(self.variances, stable=True).tolist()
        informative = informative_latents(self.variances)
        variances = self.variances.tolist()
        return [RankedLatent(i, variances[i], i in informative) for i in order]

    def check_latent(self, name: str, latent: int) -> None:
        """Raise ValueError, naming the argument, unless the model has that latent."""
        if not 0 <= latent < self.z_dim:
            wanted = f"this model's latents are 0 ... {self.z_dim - 1}"
            raise ValueError(f"{name} is {shortened(latent)}; {wanted}")

    def _find_scale(self) -> None:
        """Where all pictures are nearly black, as an untrained model's, spread what there is."""
        noise = torch.randn(
            SCALE_SAMPLES, self.z_dim, generator=torch.Generator().manual_seed(0), device="cpu"
        )
        codes = torch.cat([self.middle[None], noise.to(self.middle)])
        images = decode(self.model, codes)
        black, white = images.min().item(), images.max().item()
        if 255 * white < DARK and white > black:
            self.scale = (black, white)
            self.move(self.z)

    def _circles(self, x: float | np.ndarray, y: float | np.ndarray) -> Tensor:
        """Images [N, C, H, H] in the model's channels, of places in pixels."""
        return self._images(self.data.place(x, y, self.others))

    def _images(self, factors: Tensor) -> Tensor:
        return self.data.render(factors).expand(-1, self.channels, -1, -1)

    def _lattice(self) -> Tensor:
        """Factors [N, F] from everywhere: the midpoints of N equal cells, or random ones."""
        if self.data.free:
            return self.data.sample(SAMPLES, torch.Generator("cpu").manual_seed(0)).cpu()
        share = (np.arange(LATTICE) + 0.5) / LATTICE
        axes = [self.data.factors[column] for column in self.data.plane]
        x, y = np.meshgrid(*[axis.low + share * (axis.high - axis.low) for axis in axes])
        return self.data.place(x.ravel(), y.ravel())


def find_lengths(points: Tensor) -> tuple[float, float]:
    """Length of the path through points [N, L], and of the straight line between its ends."""
    if len(points) < 2:
        return 0.0, 0.0
    length = points.diff(dim=0).norm(dim=1).sum()
    return length.item(), (points[-1] - points[0]).norm().item()


def _noise(z_dim: int, generator: torch.Generator) -> Tensor:
    """Standard normal numbers [z_dim], whatever dtype and device are PyTorch's default."""
    return torch.randn(z_dim, generator=generator, dtype=torch.float32, device="cpu")


def _check_model(name: Name, model: VAE, data: FactorStream | None) -> None:
    """Raise ValueError unless the model can be shown."""
    this = f"models[{name!r}]"
    if not isinstance(model, VAE):
        raise ValueError(f"{this} is {type(model).__name__}; it must be a VAE")
    z_dim, channels = model.config["z_dim"], model.config["in_channels"]
    if z_dim < 2:
        raise ValueError(f"{this} has {z_dim} latent; a plane needs 2")
    if channels not in (1, 3):
        raise ValueError(f"{this} has {channels} channels; pictures have 1 or 3")
    image = [channels, model.config["im_size"], model.config["im_size"]]
    if data is not None and data.channels not in (1, channels):
        wanted = f"the data set has images of {data.channels}"
        raise ValueError(f"{this} takes images of {channels} channels; {wanted}")
    if data is not None and data.im_size != model.config["im_size"]:
        found = f"has images of {model.config['im_size']} pixels"
        raise ValueError(f"{this} {found}; the data set has images of {data.im_size}")
    picture = list(decode(model, torch.zeros(1, z_dim, device="cpu")).shape[1:])
    if picture != image:
        raise ValueError(f"{this} decodes pictures {picture}; they must be {image}, as its images")


def _check_finite(name: Name, *values: Tensor) -> None:
    if not all(value.isfinite().all() for value in values):
        raise ValueError(
            f"models[{name!r}] gives numbers that are not finite for a circle; "
            "its weights hold such numbers, or its dtype is too small for them"
        )
