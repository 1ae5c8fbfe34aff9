"""What models of scenes share: one decoder for all slots, and the mixture of what it draws.

A slot is a code for one thing of a scene. The same spatial broadcast decoder draws every slot's
picture and the logit of its mask; a softmax over the slots makes of the logits masks that sum to 1.
So Burgess et al. 2019 (MONet, arXiv 1901.11390) and Greff et al. 2019 (IODINE, arXiv 1903.00450).
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sbd_utils.models.base import Noise, kl_divergence
from sbd_utils.models.decoders import SpatialBroadcastDecoder

START_SPREAD = 0.3
"""Of the starts before training: where they are far apart, a few slots take everything."""


class Layers(NamedTuple):
    """What the slots of scenes look like; a layer is a picture and its mask."""

    pictures: Tensor
    """[N, K, C, h, w], unbounded."""
    logits: Tensor
    """Of the masks, [N, K, 1, h, w]; what is added to those of all slots changes nothing."""

    @property
    def masks(self) -> Tensor:
        """How much of a pixel is each slot's: [N, K, 1, h, w], summing to 1 over the slots."""
        return self.logits.softmax(1)

    @property
    def log_masks(self) -> Tensor:
        """The logarithm of `masks`, exact where they are tiny."""
        return self.logits.log_softmax(1)

    @property
    def image(self) -> Tensor:
        """The blend, mask times picture summed over the slots: [N, C, h, w]."""
        return (self.masks * self.pictures).sum(1)


class Slots(NamedTuple):
    """What a model makes of scenes: a Gaussian posterior for each slot, and its layers."""

    layers: Layers
    """Of the posterior's mean; in training mode, of a sample."""
    mean: Tensor
    """[N, K, z_dim]."""
    logvar: Tensor
    """[N, K, z_dim], the logarithm of the variance."""

    def kl(self) -> Tensor:
        """KL divergence to the prior in nats, summed over latents: [N, K]."""
        return kl_divergence(self.mean, self.logvar).sum(2)


class SlotDecoder(nn.Module):
    """One spatial broadcast decoder that draws every slot, knowing of no other."""

    def __init__(
        self,
        im_size: int = 32,
        out_channels: int = 3,
        z_dim: int = 8,
        channels: int = 32,
        flat: bool = True,
    ) -> None:
        """Build a decoder with random weights.

        Args:
            im_size: Height and width of the images in pixels.
            out_channels: Channels of the images.
            z_dim: Latents of a slot.
            channels: Width of the hidden convolutions.
            flat: Whether a slot has one colour, which a small network reads off its code, while the
                broadcast decoder draws its mask alone. As published, it draws picture and mask.
        """
        super().__init__()
        self.z_dim = z_dim
        self.color: nn.Module | None = None
        if flat:
            hidden = nn.Linear(z_dim, channels)
            self.color = nn.Sequential(hidden, nn.ReLU(), nn.Linear(channels, out_channels))
        drawn = 1 if flat else out_channels + 1
        self.sbd = SpatialBroadcastDecoder(im_size, drawn, z_dim, channels)

    def forward(self, codes: Tensor, pool: int = 1) -> Layers:
        """Draw slots.

        Args:
            codes: [N, K, z_dim], of any number of slots.
            pool: Every block of pool x pool pixels is asked for as one.

        Raises:
            ValueError: codes has another shape.
        """
        if codes.ndim != 3 or codes.shape[2] != self.z_dim:
            wanted = f"this decoder takes [N, K, {self.z_dim}]"
            raise ValueError(f"codes has shape {list(codes.shape)}; {wanted}")
        drawn = self.sbd(codes.flatten(0, 1), pool).unflatten(0, codes.shape[:2])
        pictures, logits = drawn[:, :, :-1], drawn[:, :, -1:]
        if self.color is not None:
            colors = self.color(codes)[..., None, None]  # [N, K, C, 1, 1]
            pictures = colors.expand(-1, -1, -1, *logits.shape[-2:])
        return Layers(pictures, logits)


class Starts(nn.Module):
    """Where inference begins for each slot."""

    def __init__(self, slots: int, size: int, own: bool) -> None:
        """Build random starts.

        Args:
            slots: How many have a start of their own.
            size: Numbers of a start.
            own: Whether each slot learns a start of its own. As published, all starts are drawn
                from one Gaussian, which is learned: then slots are alike, and of any number.
        """
        super().__init__()
        self.mean = nn.Parameter(START_SPREAD * torch.randn(slots if own else 1, size))
        self.log_spread = None if own else nn.Parameter(torch.full((size,), -0.5))

    def forward(self, slots: int, noise: Tensor, scatter: float = 0.0) -> Tensor:
        """Starts for scenes.

        Args:
            slots: How many are wanted. Of starts of their own, the first are taken; what is wanted
                beyond is drawn from a Gaussian of their mean and spread.
            noise: Standard normal, [N, slots, size].
            scatter: How much of the noise is added to starts of their own.

        Returns:
            [N, slots, size].
        """
        if self.log_spread is not None:
            return self.mean + self.log_spread.exp() * noise
        known = self.mean[:slots] + scatter * noise[:, : len(self.mean)]
        if slots <= len(self.mean):
            return known
        spread = self.mean.std(0) if len(self.mean) > 1 else 1.0
        further = self.mean.mean(0) + spread * noise[:, len(self.mean) :]
        return torch.cat([known, further], 1)


def mixture(images: Tensor, layers: Layers, w: float) -> Tensor:
    """The logarithm of each slot's part in the density of every pixel, less a constant.

    A pixel is slot k's with the probability that its mask says, and then Gaussian around that
    slot's picture, with variance 1 / (2 w) in every channel, as in both papers. The constant that
    is left out is C / 2 · log(w / π).

    Args:
        images: [N, C, h, w].
        layers: Of the same size.
        w: Weight of the squared error.

    Returns:
        [N, K, 1, h, w]: its `logsumexp(1)` is the log-likelihood of every pixel, its `softmax(1)`
        whose the pixel is, once it is seen.

    Example:
        >>> black_and_white = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1)
        >>> layers = Layers(black_and_white, logits=torch.zeros(1, 2, 1, 1, 1))
        >>> mixture(torch.ones(1, 1, 1, 1), layers, w=3.0).softmax(1).flatten()
        tensor([0.0474, 0.9526])
    """
    error = (images[:, None] - layers.pictures).square().sum(2, keepdim=True)
    return layers.log_masks - w * error


def pooled(images: Tensor, pool: int) -> Tensor:
    """Means over blocks of pool x pool pixels."""
    return nn.functional.avg_pool2d(images, pool) if pool > 1 else images


def blend_error(images: Tensor, layers: Layers) -> Tensor:
    """The squared error of the blend, summed over the pixels of an image as large as 1: [N].

    Means over blocks stand for as many pixels as a block has: multiply by pool².
    """
    return (images - layers.image).square().sum((1, 2, 3))


def default_noise(images: Tensor, fixed: bool) -> Noise:
    """What a model draws from where it is given nothing.

    Args:
        images: [N, …]; the noise has as many rows, their type and device.
        fixed: Whether it is the same in every call; else it is torch's own.
    """
    generator = torch.Generator(images.device).manual_seed(0) if fixed else None

    def noise(*shape: int) -> Tensor:
        like: dict[str, Any] = {"device": images.device, "dtype": images.dtype}
        return torch.randn(len(images), *shape, generator=generator, **like)

    return noise


def check_scenes(images: Tensor, channels: int, im_size: int) -> None:
    """Raise ValueError unless these are images [N, channels, im_size, im_size]."""
    wanted = (channels, im_size, im_size)
    if images.ndim != 4 or tuple(images.shape[1:]) != wanted:
        shape = f"[N, {channels}, {im_size}, {im_size}]"
        raise ValueError(f"images has shape {list(images.shape)}; this model takes {shape}")


def check_positive(**numbers: int) -> None:
    """Raise ValueError, naming the argument, for a number below 1."""
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
