"""One model in the explorer, what it says of the circles, and the code in its hand."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sbd_utils.analysis import (
    decode,
    encode,
    get_avg_variance,
    get_smallest_pair,
    informative_latents,
)
from sbd_utils.data import center_range, draw_circles, evaluation_grid
from sbd_utils.explorer.events import Name
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.models import VAE, sample_posterior

LATTICE = 16
"""Posterior variances are averaged over LATTICE x LATTICE circles, everywhere in the image."""


class RankedLatent(NamedTuple):
    """A latent in the order of `Side.ranked`."""

    latent: int
    variance: float
    """Average posterior variance."""
    informative: bool


class Side:
    """One model, what it says of the circles, and a code that is moved and decoded."""

    def __init__(self, name: Name, model: VAE) -> None:
        """Encode the lattice and the evaluation grid.

        Args:
            name: What the model is called.
            model: A model of grey or RGB images with two latents or more, of any floating-point
                dtype and on any device.

        Raises:
            ValueError: The model is another one, or its codes or pictures are not finite.
        """
        _check_model(name, model)
        self.name, self.model = name, model
        self.im_size: int = model.config["im_size"]
        self.channels: int = model.config["in_channels"]
        line = np.linspace(*center_range(self.im_size), LATTICE)
        x, y = np.meshgrid(line, line)
        self.variances = get_avg_variance(model, [self._circles(x.ravel(), y.ravel())])
        """[z_dim] average posterior variances, over circles everywhere in the image."""
        xx, yy, labels = evaluation_grid(self.im_size)
        means, _ = encode(model, self._circles(xx, yy))
        self.grid = means.unflatten(0, (len(np.unique(labels)), -1))
        """[lines, points, z_dim] the evaluation grid, encoded."""
        _check_finite(name, self.variances, self.grid)
        self.axes = get_smallest_pair(self.variances)
        """The latents shown to the right and upwards."""
        self.trail: list[Tensor] = []
        """The codes [z_dim] of the circle's last positions."""
        self.encode((self.im_size / 2, self.im_size / 2))
        _check_finite(name, decode(model, self.z[None]))

    @property
    def z_dim(self) -> int:
        """Number of latents."""
        return len(self.variances)

    def encode(self, circle: tuple[float, float]) -> None:
        """Take the posterior of a circle, its centre in pixels, and decode its mean."""
        mean, logvar = encode(self.model, self._circles(*circle))
        self.mean = mean[0]
        """[z_dim] of the posterior of the circle."""
        self.std = (logvar[0] / 2).exp()
        """[z_dim] of the posterior of the circle."""
        self.move(self.mean)

    def move(self, z: Tensor) -> None:
        """Take a code [z_dim] and decode it."""
        self.z = z
        """[z_dim] the code that is decoded."""
        self.picture = to_bytes(decode(self.model, z[None])[0])
        """uint8 [H, H] or [H, H, 3], decoded from z and clamped to [0, 1]."""

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
            raise ValueError(f"{name} is {latent}; {wanted}")

    def _circles(self, x: float | np.ndarray, y: float | np.ndarray) -> Tensor:
        """Circles [N, C, H, H] in the model's size and channels, centres in pixels."""
        images = draw_circles(x, y, im_size=self.im_size)
        return images.expand(-1, self.channels, -1, -1)


def _noise(z_dim: int, generator: torch.Generator) -> Tensor:
    """Standard normal numbers [z_dim], whatever dtype and device are PyTorch's default."""
    return torch.randn(z_dim, generator=generator, dtype=torch.float32, device="cpu")


def _check_model(name: Name, model: VAE) -> None:
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
    picture = list(decode(model, torch.zeros(1, z_dim, device="cpu")).shape[1:])
    if picture != image:
        raise ValueError(f"{this} decodes pictures {picture}; they must be {image}, as its images")


def _check_finite(name: Name, *values: Tensor) -> None:
    if not all(value.isfinite().all() for value in values):
        raise ValueError(
            f"models[{name!r}] gives numbers that are not finite for a circle; "
            "its weights hold such numbers, or its dtype is too small for them"
        )
