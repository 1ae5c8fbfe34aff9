"""IODINE: no encoder, only the broadcast decoder, its gradient, and a network that reads it.

Greff et al. 2019, Multi-Object Representation Learning with Iterative Variational Inference
(arXiv 1903.00450), made small.
"""

from typing import Any

import torch
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
    mixture,
    pooled,
)

START_LOGVAR = -3.0
"""About where the log-variance of a posterior begins: narrow, so that codes say something."""
LOGVAR_RANGE = (-8.0, 3.0)
"""Beyond which no refinement moves a log-variance."""


class IODINE(nn.Module):
    """Guesses a posterior for each slot, draws it, and mends the guess by what is wrong with it.

    `model(images)` gives the `Slots` after the last refinement, `model.refine(images)` those of
    every step, `model.decoder(codes)` the layers of codes.
    """

    grid: Tensor
    w_and_beta: Tensor

    def __init__(
        self,
        im_size: int = 32,
        in_channels: int = 3,
        slots: int = 5,
        z_dim: int = 8,
        channels: int = 32,
        hidden: int = 64,
        refinements: int = 3,
        flat: bool = True,
        own_starts: bool = True,
    ) -> None:
        """Build a model with random weights.

        Args:
            im_size: Height and width of the images in pixels.
            in_channels: Of the images.
            slots: The ground takes one, too.
            z_dim: Latents of a slot.
            channels: Width of the convolutions.
            hidden: Width of what a refinement remembers.
            refinements: Steps of inference in training, and where nothing else is said.
            flat: See `SlotDecoder`.
            own_starts: See `Starts`.

        Raises:
            ValueError: A number is below 1.
        """
        super().__init__()
        self.config: dict[str, Any] = {
            "im_size": im_size,
            "in_channels": in_channels,
            "slots": slots,
            "z_dim": z_dim,
            "channels": channels,
            "hidden": hidden,
            "refinements": refinements,
        }
        check_positive(**self.config)
        self.config |= {"flat": flat, "own_starts": own_starts}
        self.decoder = SlotDecoder(im_size, in_channels, z_dim, channels, flat)
        self.starts = Starts(slots, z_dim, own_starts)
        self.start_logvar = nn.Parameter(torch.full((z_dim,), START_LOGVAR))
        self.mend = _Mend(3 * in_channels + 8, z_dim, channels, hidden)
        self.register_buffer("grid", coordinate_map(im_size)[None], persistent=False)
        # What it was last trained with: its refinements are right for that alone.
        self.register_buffer("w_and_beta", torch.tensor([10.0, 1.0]))

    def forward(self, images: Tensor, noise: Noise | None = None, **options: Any) -> Slots:
        """What `refine` ends with; it takes the same arguments."""
        return self.refine(images, noise, **options)[-1]

    def refine(
        self,
        images: Tensor,
        noise: Noise | None = None,
        *,
        slots: int | None = None,
        refinements: int | None = None,
        pool: int = 1,
        scatter: float = 0.0,
    ) -> list[Slots]:
        """Infer slots, step by step; also where gradients are switched off.

        In eval mode means are decoded, in training mode samples, and the result can be
        differentiated.

        Args:
            images: [N, C, H, H].
            noise: See `default_noise`; fixed in eval mode.
            slots: Another number than the model's, see `Starts`.
            refinements: Another number than the model's, or none (0).
            pool: Everything is done with means over blocks of pool x pool pixels.
            scatter: See `loss`.

        Returns:
            The slots before the first refinement, and after each.

        Raises:
            ValueError: images has another shape, or a number is too small.
        """
        config = self.config
        check_scenes(images, config["in_channels"], config["im_size"])
        slots = config["slots"] if slots is None else slots
        refinements = config["refinements"] if refinements is None else refinements
        check_positive(slots=slots, pool=pool)
        if refinements < 0:
            raise ValueError(f"refinements is {refinements}; it must not be negative")
        with torch.inference_mode(False), torch.enable_grad():
            images = pooled(images.clone(), pool)  # one of inference mode could not be used
            noise = noise or default_noise(images, fixed=not self.training)
            starts = self.starts(slots, noise(slots, config["z_dim"]), scatter)
            steps = self._refine(images, starts, noise, refinements, pool)
        return steps if self.training else [_apart(step) for step in steps]

    def _refine(
        self, images: Tensor, starts: Tensor, noise: Noise, refinements: int, pool: int
    ) -> list[Slots]:
        posterior = torch.cat([starts, self.start_logvar.expand_as(starts)], 2)
        memory, steps = None, []
        for step in range(refinements + 1):
            if not self.training or not posterior.requires_grad:
                posterior = posterior.detach().requires_grad_()
            slots = self._draw(posterior, noise, pool)
            steps.append(slots)
            if step < refinements:
                clues, gradient = self._clues(images, slots, posterior, pool)
                change, memory = self.mend(clues, posterior, gradient, memory)
                mean, logvar = (posterior + change).chunk(2, 2)
                posterior = torch.cat([mean, logvar.clamp(*LOGVAR_RANGE)], 2)
        return steps

    def _draw(self, posterior: Tensor, noise: Noise, pool: int) -> Slots:
        mean, logvar = posterior.chunk(2, 2)
        codes = mean
        if self.training:
            codes = sample_posterior(mean, logvar, noise(*mean.shape[1:]))
        return Slots(self.decoder(codes, pool), mean, logvar)

    def _clues(
        self, images: Tensor, slots: Slots, posterior: Tensor, pool: int
    ) -> tuple[Tensor, Tensor]:
        """What a refinement sees: clues [N, K, F, h, w], the loss's gradient [N, K, 2 z_dim]."""
        w, beta = self.w_and_beta.tolist()
        losses = self._losses(images, slots, w, beta, pool)
        (gradient,) = torch.autograd.grad(losses.sum(), posterior, retain_graph=self.training)
        place = pooled(self.grid, pool).expand(*slots.mean.shape[:2], -1, -1, -1)
        with torch.no_grad():
            clues = [
                clue.expand(-1, place.shape[1], -1, -1, -1)
                for clue in clues_of_pixels(images, slots.layers, w)
            ]
            return torch.cat([*clues, place], 2), gradient

    def _losses(self, images: Tensor, slots: Slots, w: float, beta: float, pool: int) -> Tensor:
        """Of each scene [N]; a block's mean stands for pool² pixels."""
        likelihood = mixture(images, slots.layers, w).logsumexp(1).sum((1, 2, 3))
        return beta * slots.kl().sum(1) - pool**2 * likelihood

    def loss(
        self,
        images: Tensor,
        noise: Noise,
        *,
        w: float = 10.0,
        beta: float = 1.0,
        pool: int = 1,
        scatter: float = 0.0,
    ) -> Loss:
        """The loss that `fit` makes small: the negative ELBO after every step, later ones more.

        Step t of 0 … T weighs (t + 1) / (T + 1); in the paper, of 1 … T, t / T.

        Args:
            images: [N, C, H, H].
            noise: Gives the noise of starts and posteriors.
            w: Weight of the squared error within the mixture, see `mixture`.
            beta: Weight of the KL divergence.
            pool: See `refine`.
            scatter: Deviation of noise that is added to the slots' own starts. Without it, the
                decoder tells slots apart from the first update on; it may give every pixel to one
                or two of them, and the others stay empty.

        Returns:
            The loss, and its parts: the squared error of the blend and the KL divergence of each
            slot [K] after the last step, and the negative ELBO after every step [T + 1].
        """
        self.w_and_beta.copy_(torch.tensor([w, beta]))
        steps = self.refine(images, noise, pool=pool, scatter=scatter)
        targets = pooled(images, pool)
        each = torch.stack([self._losses(targets, s, w, beta, pool).mean() for s in steps])
        share = torch.arange(1, len(steps) + 1).to(each) / len(steps)
        parts = {
            "squared_error": pool**2 * blend_error(targets, steps[-1].layers).mean(),
            "kl": steps[-1].kl().mean(0),
            "negative_elbo": each,
        }
        return Loss((share * each).sum(), parts)


class _Mend(nn.Module):
    """The network that reads clues and says how to change a posterior; the same for every slot."""

    def __init__(self, clues: int, z_dim: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(clues, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
        )
        self.summary = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU())
        self.remember = nn.LSTMCell(hidden + 4 * z_dim, hidden)
        self.change = nn.Linear(hidden, 2 * z_dim)

    def forward(
        self, clues: Tensor, posterior: Tensor, gradient: Tensor, memory: Any
    ) -> tuple[Tensor, Any]:
        """The change [N, K, 2 z_dim], and what is remembered for the next."""
        seen = self.summary(self.look(clues.flatten(0, 1)).mean((2, 3)))  # [N K, hidden]
        slope = nn.functional.layer_norm(gradient, gradient.shape[2:])
        inputs = [seen, posterior.detach().flatten(0, 1), slope.flatten(0, 1)]
        memory = self.remember(torch.cat(inputs, 1), memory)
        return self.change(memory[0]).unflatten(0, posterior.shape[:2]), memory


def clues_of_pixels(images: Tensor, layers: Layers, w: float) -> list[Tensor]:
    """What a refinement reads of every pixel, about as in the paper.

    Where that has the likelihood without the slot, here is the slot's own. Whose a pixel is stands
    here twice: it is the gradient by the mask's logarithm, too.

    Args:
        images: [N, C, h, w].
        layers: Of the same size.
        w: See `mixture`.

    Returns:
        [N, K or 1, …, h, w] each: image, picture, mask, logit, whose the pixel is, the gradient by
        the picture, that by the mask's logarithm, the likelihood of the pixel, that by the slot
        alone; the last four with mean 0 and deviation 1 for each slot.
    """
    parts = mixture(images, layers, w)  # [N, K, 1, h, w]
    likelihood = parts.logsumexp(1, keepdim=True)
    whose = parts.softmax(1)
    gradient = picture_gradient(images, layers, w)
    alone = parts - layers.log_masks
    scaled = [_standardized(clue) for clue in (gradient, whose, likelihood, alone)]
    return [images[:, None], layers.pictures, layers.masks, layers.logits, whose, *scaled]


def picture_gradient(images: Tensor, layers: Layers, w: float) -> Tensor:
    """The gradient of the log-likelihood by the slots' pictures, [N, K, C, h, w].

    What is wrong with a slot's picture, as far as the pixel is the slot's: 2 w · whose · error.
    """
    whose = mixture(images, layers, w).softmax(1)
    return 2 * w * whose * (images[:, None] - layers.pictures)


def _standardized(values: Tensor) -> Tensor:
    """Mean 0 and deviation 1 over each slot's numbers."""
    axes = (2, 3, 4)
    deviation = values.std(axes, keepdim=True, correction=0)
    return (values - values.mean(axes, keepdim=True)) / (deviation + 1e-5)


def _apart(slots: Slots) -> Slots:
    """The same numbers without how they came about."""
    layers = Layers(*(each.detach() for each in slots.layers))
    return Slots(layers, slots.mean.detach(), slots.logvar.detach())
