"""How the circles are learned: which network, how many updates, and the schedules.

Every recipe trains on endless fresh circles of 64 x 64 pixels, with w = 10.

The idea of 'fast' and 'default': where the circle is can be learned from means over blocks of 8 x 8, then 4 x 4 pixels,
at 1/64 and 1/16 of the broadcast decoder's cost. Once the position is in the code, beta rises, so that latents that
repeat what others say return to the prior. Then whole images sharpen the picture, and beta comes down. The schedules
were found by trial, with the SBD alone; which part of them matters how much was not isolated. See pretrained/README.md
for how they were chosen, and for seeds that took no part in it.
"""

from typing import NamedTuple

import torch

from sbd_utils.datasets import CircleStream
from sbd_utils.models import VAE
from sbd_utils.training import History, fit, piecewise_constant, piecewise_linear


class Recipe(NamedTuple):
    """A network and the arguments of `fit`."""

    model: dict
    """Arguments of `VAE`."""
    steps: int
    """Number of updates."""
    fit: dict
    """Further arguments of `fit`."""


# Shared by 'fast' and 'default'.
_coarse_to_fine = dict(
    pool=piecewise_constant((0, 8), (0.2, 4), (0.35, 2), (0.45, 1)),
    batch_size=piecewise_constant((0, 64), (0.35, 32)),
    precision="auto",
)

RECIPES = {
    # The architecture of the design with half the channels, for a laptop. With the schedules of 'default' a fresh seed
    # stayed blank: so the learning rate rises more slowly. With that alone, some seeds kept a third latent: so beta
    # rises higher.
    "fast": Recipe(
        dict(channels=32),
        1300,
        dict(
            lr=piecewise_linear((0, 0), (0.1, 1e-3), (0.35, 1e-3), (0.4, 2e-3), (0.65, 1.2e-3), (1, 1e-4)),
            beta=piecewise_linear((0.2, 8), (0.33, 16), (0.4, 60), (0.5, 60), (0.65, 16), (0.85, 2)),
            **_coarse_to_fine,
        ),
    ),
    # The default architecture, with the schedules by which the committed weights were made.
    "default": Recipe(
        {},
        1800,
        dict(
            lr=piecewise_linear((0, 0), (0.015, 1e-3), (0.35, 1e-3), (0.4, 2e-3), (0.65, 1.2e-3), (1, 1e-4)),
            beta=piecewise_linear((0.2, 8), (0.27, 16), (0.65, 16), (0.85, 2)),
            **_coarse_to_fine,
        ),
    ),
    # As an open re-implementation of the paper trains: small constant steps, beta 1; to be stopped by hand.
    "reference": Recipe({}, 100_000, dict(lr=1e-4, batch_size=16, precision="auto")),
}


# The decoders that are compared: the two of the course, and ablations that each change one thing.
DECODERS = {
    "sbd": dict(decoder="sbd"),
    "deconv": dict(decoder="deconv"),
    "sbd-x": dict(decoder="sbd", position="x"),
    "sbd-learned": dict(decoder="sbd", position="learned"),
    "sbd-rotated": dict(decoder="sbd", position="rotated"),
    "deconv-xy": dict(decoder="deconv", coordinates=True),
}


def train_circles(
    recipe: str = "fast",
    decoder: str = "sbd",
    seed: int = 0,
    steps: int | None = None,
    model: VAE | None = None,
    **options,
) -> tuple[VAE, History]:
    """Train a VAE on the circles by the recipe of that name.

    recipe: a key of RECIPES. decoder: a key of DECODERS. seed: of the initial weights, the images and the noise.
    steps: another number of updates, over which the schedules are stretched. model: one to train instead of a new one.
    options: passed to `fit`, before the recipe's own. Returns the model in eval mode, and the history.
    Raises ValueError for an unknown recipe or decoder.
    """
    for name, value, known in [("recipe", recipe, RECIPES), ("decoder", decoder, DECODERS)]:
        if value not in known:
            raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, known))}")
    made = RECIPES[recipe]
    if model is None:
        torch.manual_seed(seed)
        model = VAE(**DECODERS[decoder], **made.model)
    history = fit(model, CircleStream(seed=seed), steps or made.steps, **{**made.fit, "seed": seed, **options})
    return model, history
