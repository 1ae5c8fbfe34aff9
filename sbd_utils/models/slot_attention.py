"""Slot attention: an encoder whose slots compete for what they see, with a Gaussian code for each.

Locatello et al. 2020, Object-Centric Learning with Slot Attention (arXiv 2006.15055), made small;
the posterior, as in a VAE, is ours.
"""

from typing import Any, NamedTuple

from torch import Tensor, nn

from sbd_utils.models.base import Loss, Noise, sample_posterior
from sbd_utils.models.decoders import coordinate_map
from sbd_utils.models.slots import (
    Layers,
    SlotDecoder,
    Slots,
    Starts,
    blend_error,
    check_positive,
    check_scenes,
    default_noise,
    pooled,
)

START_LOGVAR = -4.0
"""About where the log-variance of a posterior begins: with more noise, nothing was learned."""
STRIDE = 4
"""Pixels from one place that slots look at to the next."""


class Attended(NamedTuple):
    """What slots have made of places."""

    slots: Tensor
    """[N, K, D]."""
    attention: Tensor
    """How much of each place is each slot's: [N, K, P], summing to 1 over the slots."""


class SlotAttention(nn.Module):
    """Slots that compete for places, and are renewed by what they get: algorithm 1 of the paper."""

    def __init__(self, size: int = 32) -> None:
        """Build the module with random weights.

        Args:
            size: Numbers of a slot, and of what a place says.
        """
        super().__init__()
        self.normed_places, self.normed_slots = nn.LayerNorm(size), nn.LayerNorm(size)
        self.query, self.key, self.value = (nn.Linear(size, size, bias=False) for _ in range(3))
        self.renew = nn.GRUCell(size, size)
        self.think = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, size)
        )

    def forward(self, places: Tensor, slots: Tensor, iterations: int = 3) -> list[Attended]:
        """Attend.

        Args:
            places: What is seen at each of P places, [N, P, D].
            slots: Where they begin, [N, K, D].
            iterations: How often, at least once.

        Returns:
            What each iteration ends with.
        """
        places = self.normed_places(places)
        keys, values = self.key(places), self.value(places)  # [N, P, D]
        steps = []
        for _ in range(iterations):
            queries = self.query(self.normed_slots(slots)) / slots.shape[2] ** 0.5
            attention = (queries @ keys.transpose(1, 2)).softmax(1)  # over slots: they compete
            share = attention + 1e-8
            found = (share / share.sum(2, keepdim=True)) @ values  # a mean over places [N, K, D]
            renewed = self.renew(found.flatten(0, 1), slots.flatten(0, 1))
            slots = renewed.unflatten(0, slots.shape[:2])
            slots = slots + self.think(slots)
            steps.append(Attended(slots, attention))
        return steps


class SlotAttentionVAE(nn.Module):
    """Convolutions, slot attention, a Gaussian for each slot, and a broadcast decoder.

    `model(images)` gives `Slots`, `model.attend(images)` the attention of every iteration,
    `model.decoder(codes)` the layers of codes.
    """

    grid: Tensor

    def __init__(
        self,
        im_size: int = 32,
        in_channels: int = 3,
        slots: int = 5,
        z_dim: int = 8,
        channels: int = 32,
        iterations: int = 3,
        flat: bool = True,
        own_starts: bool = True,
    ) -> None:
        """Build a model with random weights.

        Args:
            im_size: Height and width of the images in pixels, a multiple of 4.
            in_channels: Of the images.
            slots: The ground takes one, too.
            z_dim: Latents of a slot.
            channels: Width of the convolutions, and of what attends.
            iterations: Of attention in training, and where nothing else is said.
            flat: See `SlotDecoder`.
            own_starts: See `Starts`.

        Raises:
            ValueError: A number is below 1, or im_size no multiple of 4.
        """
        super().__init__()
        self.config: dict[str, Any] = {
            "im_size": im_size,
            "in_channels": in_channels,
            "slots": slots,
            "z_dim": z_dim,
            "channels": channels,
            "iterations": iterations,
        }
        check_positive(**self.config)
        if im_size % STRIDE:
            raise ValueError(f"im_size is {im_size}; it must be a multiple of {STRIDE}")
        self.config |= {"flat": flat, "own_starts": own_starts}
        self.look = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
        )
        grid = coordinate_map(im_size // STRIDE).flatten(1).T  # [P, 2]
        self.register_buffer("grid", grid, persistent=False)
        self.place = nn.Linear(2, channels)
        self.mix = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, channels),
            nn.ReLU(),
            nn.Linear(channels, channels),
        )
        self.starts = Starts(slots, channels, own_starts)
        self.attention = SlotAttention(channels)
        self.posterior = nn.Linear(channels, 2 * z_dim)
        self.decoder = SlotDecoder(im_size, in_channels, z_dim, channels, flat)

    def attend(
        self,
        images: Tensor,
        noise: Noise | None = None,
        *,
        slots: int | None = None,
        iterations: int | None = None,
    ) -> list[Attended]:
        """What each iteration of attention ends with; P places in rows of im_size / 4.

        Args:
            images: [N, C, H, H].
            noise: See `default_noise`; fixed in eval mode.
            slots: Another number than the model's, see `Starts`.
            iterations: Another number than the model's.

        Raises:
            ValueError: images has another shape, or a number is below 1.
        """
        config = self.config
        check_scenes(images, config["in_channels"], config["im_size"])
        slots = config["slots"] if slots is None else slots
        iterations = config["iterations"] if iterations is None else iterations
        check_positive(slots=slots, iterations=iterations)
        noise = noise or default_noise(images, fixed=not self.training)
        seen = self.look(images).flatten(2).transpose(1, 2)  # [N, P, channels]
        places = self.mix(seen + self.place(self.grid))
        starts = self.starts(slots, noise(slots, config["channels"]))
        return self.attention(places, starts, iterations)

    def forward(
        self,
        images: Tensor,
        noise: Noise | None = None,
        *,
        slots: int | None = None,
        iterations: int | None = None,
        pool: int = 1,
    ) -> Slots:
        """Take scenes apart; in eval mode means are decoded, in training mode samples.

        Args:
            images: [N, C, H, H].
            noise: As in `attend`.
            slots: As in `attend`.
            iterations: As in `attend`.
            pool: The decoder is asked for means over blocks of pool x pool pixels.

        Raises:
            ValueError: As `attend` does.
        """
        check_positive(pool=pool)
        noise = noise or default_noise(images, fixed=not self.training)
        found = self.attend(images, noise, slots=slots, iterations=iterations)[-1].slots
        mean, logvar = self.posterior(found).chunk(2, 2)
        logvar = (logvar + START_LOGVAR).clamp(-10, 4)
        codes = mean
        if self.training:
            codes = sample_posterior(mean, logvar, noise(*mean.shape[1:]))
        return Slots(self.decoder(codes, pool), mean, logvar)

    def loss(
        self,
        images: Tensor,
        noise: Noise,
        *,
        w: float = 10.0,
        beta: float = 0.2,
        pool: int = 1,
        entropy: float = 0.0,
    ) -> Loss:
        """The loss that `fit` makes small: w · squared error of the blend + beta · KL.

        Args:
            images: [N, C, H, H].
            noise: Gives the noise of starts and posteriors.
            w: Weight of the squared error.
            beta: Weight of the KL divergence.
            pool: See `forward`.
            entropy: Weight of the entropy of the masks, in nats, summed over the pixels: the blend
                does not mind that two slots share an object, this does.

        Returns:
            The loss, and its parts: the squared error, the KL divergence of each slot [K], and the
            entropy.
        """
        slots = self(images, noise, pool=pool)
        error = pool**2 * blend_error(pooled(images, pool), slots.layers).mean()
        kl = slots.kl().mean(0)
        shared = pool**2 * mask_entropy(slots.layers).mean()
        total = w * error + beta * kl.sum() + entropy * shared
        return Loss(total, {"squared_error": error, "kl": kl, "entropy": shared})


def mask_entropy(layers: Layers) -> Tensor:
    """How undecided the masks are: their entropy in nats, summed over the pixels, [N]."""
    return -(layers.masks * layers.log_masks).sum((1, 2, 3, 4))
