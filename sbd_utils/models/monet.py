"""MONet: a network that cuts out one thing after the other, and a VAE that must explain each.

Burgess et al. 2019, MONet: Unsupervised Scene Decomposition and Representation (arXiv 1901.11390),
made small.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.models.base import Loss, Noise, sample_posterior
from sbd_utils.models.slots import (
    Layers,
    SlotDecoder,
    Slots,
    blend_error,
    check_positive,
    check_scenes,
    default_noise,
    mixture,
    pooled,
)
from sbd_utils.models.vae import Encoder

START_LOGVAR = -4.0
"""About where the log-variance of a posterior begins."""
LEAST_LOG_MASK = -12.0
"""Below which the logarithm of a mask is not asked for."""
DEPTH = 3
"""Resolutions of the network that cuts: images, halves and quarters of them."""


class MONet(nn.Module):
    """Cuts masks out of what is left of the scene, and draws each by itself.

    `model(images)` gives `Slots`, whose masks are the cut ones, `model.cut(images)` these alone,
    `model.decoder(codes)` the layers of codes, with the masks that the decoder draws.
    """

    def __init__(
        self,
        im_size: int = 32,
        in_channels: int = 3,
        slots: int = 5,
        z_dim: int = 8,
        channels: int = 32,
        flat: bool = True,
    ) -> None:
        """Build a model with random weights.

        Args:
            im_size: Height and width of the images in pixels, a multiple of 16.
            in_channels: Of the images.
            slots: The ground takes one, too.
            z_dim: Latents of a slot.
            channels: Width of the convolutions, in the network that cuts of half as many at first.
            flat: See `SlotDecoder`.

        Raises:
            ValueError: A number is below 1, or im_size no multiple of 16.
        """
        super().__init__()
        self.config: dict[str, Any] = {
            "im_size": im_size,
            "in_channels": in_channels,
            "slots": slots,
            "z_dim": z_dim,
            "channels": channels,
        }
        check_positive(**self.config)
        if im_size % 16:
            raise ValueError(f"im_size is {im_size}; it must be a multiple of 16")
        self.config["flat"] = flat
        self.knife = _UNet(in_channels + 1, max(channels // 2, 1))
        self.encoder = Encoder(im_size, in_channels + 1, z_dim, channels)
        self.decoder = SlotDecoder(im_size, in_channels, z_dim, channels, flat)

    def cut(self, images: Tensor, slots: int | None = None) -> Tensor:
        """The logarithm of masks [N, K, 1, h, w]: each takes a share of what those before left.

        Args:
            images: [N, C, h, w], multiples of 4; whole, or means over blocks.
            slots: Another number than the model's; the last takes all that is left.
        """
        slots = self.config["slots"] if slots is None else slots
        check_positive(slots=slots)
        left = torch.zeros_like(images[:, :1])  # the logarithm of what is left: all
        masks = []
        for _ in range(slots - 1):
            taken = self.knife(torch.cat([images, left.clamp(min=LEAST_LOG_MASK)], 1))
            masks.append(left + nn.functional.logsigmoid(taken))
            left = left + nn.functional.logsigmoid(-taken)
        return torch.stack([*masks, left], 1)

    def forward(
        self,
        images: Tensor,
        noise: Noise | None = None,
        *,
        slots: int | None = None,
        pool: int = 1,
    ) -> Slots:
        """Take scenes apart; in eval mode means are decoded, in training mode samples.

        Args:
            images: [N, C, H, H].
            noise: See `default_noise`.
            slots: As in `cut`.
            pool: Cut and drawn are means over blocks of pool x pool pixels.

        Raises:
            ValueError: images has another shape, a number is below 1, or blocks leave no multiple
                of 4 pixels.
        """
        return self._take_apart(images, noise, slots, pool)[0]

    def _take_apart(
        self, images: Tensor, noise: Noise | None, slots: int | None, pool: int
    ) -> tuple[Slots, Layers]:
        """Slots with the masks that were cut, and the layers that the decoder draws."""
        im_size = self.config["im_size"]
        check_scenes(images, self.config["in_channels"], im_size)
        if pool < 1 or im_size % (4 * pool):
            raise ValueError(f"pool is {pool}; 4 times that must divide {im_size} pixels")
        log_masks = self.cut(pooled(images, pool), slots)
        mean, logvar = self._encode(images, log_masks.exp())
        codes = mean
        if self.training:
            noise = noise or default_noise(images, fixed=False)
            codes = sample_posterior(mean, logvar, noise(*mean.shape[1:]))
        drawn = self.decoder(codes, pool)
        return Slots(Layers(drawn.pictures, log_masks), mean, logvar), drawn

    def _encode(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Posteriors [N, K, z_dim] of what each mask shows; the mask is a channel of its own."""
        pool = images.shape[-1] // masks.shape[-1]
        masks = masks.repeat_interleave(pool, -1).repeat_interleave(pool, -2)
        shown = torch.cat([images[:, None] * masks, masks], 2)  # [N, K, C + 1, H, H]
        mean, logvar = self.encoder(shown.flatten(0, 1))
        logvar = (logvar + START_LOGVAR).clamp(-10, 4)
        slots = shown.shape[:2]
        return mean.unflatten(0, slots), logvar.unflatten(0, slots)

    def loss(
        self,
        images: Tensor,
        noise: Noise,
        *,
        w: float = 10.0,
        beta: float = 0.5,
        gamma: float = 0.25,
        pool: int = 1,
    ) -> Loss:
        """The loss that `fit` makes small: that of the paper, less a constant.

        Args:
            images: [N, C, H, H].
            noise: Gives the posteriors' noise.
            w: Weight of the squared error within the mixture, see `mixture`.
            beta: Weight of the KL divergence of the codes.
            gamma: Weight of the KL divergence of the masks that are cut to those that are drawn.
            pool: See `forward`.

        Returns:
            The loss, and its parts: the squared error of the blend, the negative log-likelihood,
            the KL divergence of each slot [K], and that of the masks.
        """
        slots, drawn = self._take_apart(images, noise, None, pool)
        targets = pooled(images, pool)
        likelihood = mixture(targets, slots.layers, w).logsumexp(1).sum((1, 2, 3))
        nll = -(pool**2) * likelihood.mean()
        kl = slots.kl().mean(0)
        mask_kl = pool**2 * mask_divergence(slots.layers, drawn).mean()
        parts = {
            "squared_error": pool**2 * blend_error(targets, slots.layers).mean(),
            "negative_log_likelihood": nll,
            "kl": kl,
            "mask_kl": mask_kl,
        }
        return Loss(nll + beta * kl.sum() + gamma * mask_kl, parts)


def mask_divergence(layers: Layers, others: Layers) -> Tensor:
    """KL(masks of the first || masks of the second) in nats, summed over the pixels: [N]."""
    gap = layers.log_masks.clamp(min=LEAST_LOG_MASK) - others.log_masks.clamp(min=LEAST_LOG_MASK)
    return (layers.masks * gap).sum((1, 2, 3, 4))


class _UNet(nn.Module):
    """Down and up again, with what was seen on the way down: Ronneberger et al. 2015."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        widths = [channels, *([2 * channels] * (DEPTH - 1))]
        self.down = nn.ModuleList()
        for before, width in zip([in_channels, *widths], widths, strict=False):
            self.down.append(nn.Conv2d(before, width, 3, padding=1))
        self.middle = nn.Conv2d(widths[-1], widths[-1], 1)
        self.up = nn.ModuleList()
        before = widths[-1]
        for width in reversed(widths):
            self.up.append(nn.Conv2d(before + width, width, 3, padding=1))
            before = width
        self.out = nn.Conv2d(before, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """A number for each pixel, [N, 1, h, w]."""
        seen: list[Tensor] = []
        for conv in self.down:
            x = nn.functional.avg_pool2d(x, 2) if seen else x
            x = torch.relu(conv(x))
            seen.append(x)
        x = torch.relu(self.middle(x))
        for conv, beside in zip(self.up, reversed(seen), strict=True):
            if x.shape[-1] != beside.shape[-1]:
                x = nn.functional.interpolate(x, scale_factor=2)
            x = torch.relu(conv(torch.cat([x, beside], 1)))
        return self.out(x)
