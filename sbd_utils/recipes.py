"""How the circles are learned: which network, how many updates, and the schedules. Measured in tests/benchmarks.

Every recipe trains on endless fresh circles of 64 x 64 pixels, with w = 10.

Why 'fast' looks as it does. A strong KL (beta 16) wakes up no more latents than the images need; while it is being
learned where the circle is, means over 8 x 8 and 4 x 4 blocks tell nearly all, at 1/64 and 1/16 of the decoder's
cost. Once two latents carry the position, whole images sharpen the picture, and beta comes down to 1.
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


_coarse_to_fine = dict(
    lr=piecewise_linear((0.4, 1e-3), (0.45, 2e-3), (0.7, 2e-3), (1, 1e-4)),
    beta=piecewise_linear((0.45, 16), (0.7, 1)),
    pool=piecewise_constant((0, 8), (0.2, 4), (0.4, 2), (0.55, 1)),
    precision="auto",
)

RECIPES = {
    # The architecture of the design with half the channels, for a laptop.
    "fast": Recipe(dict(channels=32), 1500, _coarse_to_fine),
    # The default architecture.
    "default": Recipe({}, 3000, _coarse_to_fine),
    # As open re-implementations of the paper train: constant and small steps.
    "reference": Recipe({}, 8000, dict(lr=1e-4, batch_size=16)),
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

    recipe: a key of RECIPES. decoder: 'sbd' or 'deconv'. seed: of the initial weights, the images and the noise.
    steps: another number of updates, over which the schedules are stretched. model: one to train instead of a new one.
    options: passed to `fit`, before the recipe's own. Returns the model in eval mode, and the history.
    Raises ValueError for an unknown recipe.
    """
    if recipe not in RECIPES:
        raise ValueError(f"recipe is {recipe!r}; it must be one of {', '.join(map(repr, RECIPES))}")
    made = RECIPES[recipe]
    if model is None:
        torch.manual_seed(seed)
        model = VAE(decoder=decoder, **made.model)
    history = fit(model, CircleStream(seed=seed), steps or made.steps, **{**made.fit, "seed": seed, **options})
    return model, history
