"""How data are learned: which network, how many updates, and the schedules.

Every recipe trains on endless fresh images, with w = 10: of 64 x 64 pixels, unless it says less.

The idea of 'fast' and 'wide': where the circle is can be learned from means over blocks of 8 x 8,
then 4 x 4 pixels, at 1/64 and 1/16 of the broadcast decoder's cost. Once the position is in the
code, beta rises, so that latents that repeat what others say return to the prior. Then whole images
sharpen the picture, and beta comes down. The schedules were found by trial, with the SBD alone;
which part of them matters how much was not isolated. See pretrained/README.md for how they were
chosen, and for seeds that took no part in it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from sbd_utils.data import STREAMS, make_stream
from sbd_utils.models import VAE
from sbd_utils.training import History, beginning, fit, piecewise_constant, piecewise_linear


class Recipe(NamedTuple):
    """A network and the arguments of `fit`."""

    model: dict[str, Any]
    """Arguments of `VAE`."""
    steps: int
    """Number of updates."""
    fit: dict[str, Any]
    """Further arguments of `fit`."""
    squared_error_limit: float = 5.0
    """The squared error, per image, below which a run of it counts as recovered."""

    @property
    def im_size(self) -> int:
        """Of the images that it trains on, in pixels."""
        return self.model.get("im_size", 64)


COARSE_TO_FINE: dict[str, Any] = {
    "pool": piecewise_constant((0, 8), (0.2, 4), (0.35, 2), (0.45, 1)),
    "batch_size": piecewise_constant((0, 64), (0.35, 32)),
    "precision": "auto",
}
"""What 'fast' and 'wide' share."""

# The architecture of the design with half the channels, for a laptop. With the schedules of 'wide'
# a fresh seed stayed blank: so the learning rate rises more slowly. With that alone, some seeds
# kept a third latent: so beta rises higher.
FAST = Recipe(
    model={"channels": 32},
    steps=1300,
    fit={
        "lr": piecewise_linear(
            (0, 0), (0.1, 1e-3), (0.35, 1e-3), (0.4, 2e-3), (0.65, 1.2e-3), (1, 1e-4)
        ),
        "beta": piecewise_linear((0.2, 8), (0.33, 16), (0.4, 60), (0.5, 60), (0.65, 16), (0.85, 2)),
        **COARSE_TO_FINE,
    },
)

# The architecture of the design, with the schedules by which the committed weights were made.
WIDE = Recipe(
    model={},
    steps=1800,
    fit={
        "lr": piecewise_linear(
            (0, 0), (0.015, 1e-3), (0.35, 1e-3), (0.4, 2e-3), (0.65, 1.2e-3), (1, 1e-4)
        ),
        "beta": piecewise_linear((0.2, 8), (0.27, 16), (0.65, 16), (0.85, 2)),
        **COARSE_TO_FINE,
    },
    squared_error_limit=3.0,
)

# As an open re-implementation of the paper (dfdazac/vaesbd) trains: small constant steps, beta 1.
# To be stopped by hand.
REFERENCE = Recipe(model={}, steps=100_000, fit={"lr": 1e-4, "batch_size": 16, "precision": "auto"})

# As the blog post trains (dfdazac/monet): the same with beta 2. To be stopped by hand.
POST = Recipe(
    model={},
    steps=200_000,
    fit={"lr": 1e-4, "batch_size": 16, "beta": 2.0, "w": 10.0, "precision": "auto"},
)


def narrow(recipe: Recipe) -> Recipe:
    """The recipe with the 32 channels of 'fast'."""
    return recipe._replace(model={**recipe.model, **FAST.model})


def plain(lr: float, beta: float) -> Recipe:
    """Adam with nothing that changes, as one would try first; to be stopped by a budget."""
    constant = {"lr": lr, "beta": beta, "batch_size": 32, "precision": "auto"}
    return Recipe(model=FAST.model, steps=100_000, fit=constant)


# The network of 'fast', trained plainly. The search on behalf of the deconvolutional decoder is
# among these nine; see pretrained/README.md.
PACES = {"plain": 1e-3, "plain-slow": 3e-4, "plain-quick": 3e-3}
BETAS = (1, 4, 16)
PLAIN = {
    f"{name}-beta{beta}": plain(lr, float(beta)) for name, lr in PACES.items() for beta in BETAS
}


def sprites(beta: float = 1.0, **further: Any) -> Recipe:
    """Coloured sprites of 32 x 32 pixels, by a schedule that ends with that beta.

    Beta begins low: where it is 8 from the start, the position is learned and the colour is not.
    Then it rises, so that latents that repeat what others say return to the prior. Chosen by a few
    trials with the SBD; see pretrained/README.md.

    Args:
        beta: At the end; it rises to 8, or to this if it is more.
        **further: Arguments of `fit`.
    """
    high = max(8.0, beta)
    schedules: dict[str, Any] = {
        "lr": piecewise_linear((0, 0), (0.03, 2e-3), (0.6, 2e-3), (1, 1e-4)),
        "beta": piecewise_linear((0.15, 0.5), (0.35, high), (0.55, high), (0.8, beta)),
        "pool": piecewise_constant((0, 4), (0.35, 2), (0.75, 1)),
        "batch_size": piecewise_constant((0, 64), (0.35, 32)),
        "precision": "auto",
    }
    return Recipe({"im_size": 32, "channels": 32}, 1200, {**schedules, **further})


def plain_sprites(lr: float, beta: float, **further: Any) -> Recipe:
    """The same network by constant numbers, see `plain`."""
    recipe = plain(lr, beta)
    model = {**recipe.model, "im_size": 32}
    return recipe._replace(model=model, fit={**recipe.fit, **further})


def coloured(low: float = 0.1, lr: float = 1e-3, **further: Any) -> Recipe:
    """Coloured sprites of all eight factors: beta stays low until their colours are in the code.

    Args:
        low: Beta, for half of the updates; then it rises to 1.
        lr: Until more than half of the updates are done; then it falls to a tenth.
        **further: Arguments of `fit`.
    """
    schedules: dict[str, Any] = {
        "lr": piecewise_linear((0, 0), (0.01, lr), (0.6, lr), (1, lr / 10)),
        "beta": piecewise_linear((0.5, low), (0.8, 1.0)),
        "pool": piecewise_constant((0, 4), (0.2, 2), (0.4, 1)),
        "batch_size": piecewise_constant((0, 64), (0.4, 32)),
        "precision": "auto",
    }
    return Recipe({"im_size": 32, "channels": 32}, 12_000, {**schedules, **further})


# For rate against distortion, what beta is at the end, or all the time; and a weight of the total
# correlation. Which recipe suits which decoder was searched: see pretrained/README.md.
SPRITE_BETAS = (0.4, 0.8, 1.4, 2.2, 3.5, 5.4)
SPRITES = {
    "sprites": sprites(),
    "sprites-whole": sprites(pool=1),
    **{f"sprites-beta{beta}": sprites(beta) for beta in SPRITE_BETAS},
    "sprites-tc": sprites(tc=piecewise_constant((0, 0), (0.35, 5))),
    "sprites-plain": plain_sprites(lr=1e-3, beta=1.0),
    "sprites-plain-slow": plain_sprites(lr=3e-4, beta=1.0),
    "sprites-plain-quick": plain_sprites(lr=3e-3, beta=1.0),
    **{
        f"sprites-plain-beta{beta}": plain_sprites(lr=1e-3, beta=beta)
        for beta in (0.2, 4, *SPRITE_BETAS)
    },
    "sprites-plain-tc": plain_sprites(lr=1e-3, beta=4, tc=5),
    "coloured": coloured(),
    "coloured-whole": coloured(pool=1),
    "coloured-whole-low": coloured(low=0.02, pool=1),
    "coloured-whole-slow": coloured(lr=3e-4, pool=1),
    # for small objects, whose squared error is small: it counts four times as much
    "sprites-w40": sprites(w=40.0),
    "sprites-plain-w40": plain_sprites(lr=1e-3, beta=1.0, w=40.0),
}

# For questions about the code alone: never a whole image, so that an update costs a tenth. Means
# over blocks of 4 x 4 pixels from the time that the position is in the code; beta rises and falls
# as in 'fast' and then stays, so that one can watch the code turn.
BLOCKS = Recipe(
    model=FAST.model,
    steps=1000,
    fit={
        "lr": piecewise_linear((0, 0), (0.13, 1e-3)),
        "beta": piecewise_linear((0.26, 8), (0.43, 16), (0.52, 60), (0.65, 60), (0.8, 16)),
        "pool": piecewise_constant((0, 8), (0.26, 4)),
        "batch_size": piecewise_constant((0, 64), (0.45, 32)),
        "precision": "auto",
    },
)

RECIPES: dict[str, Recipe] = {
    "fast": FAST,
    "wide": WIDE,
    "reference": REFERENCE,
    "post": POST,
    "reference-narrow": narrow(REFERENCE),
    "post-narrow": narrow(POST),
    # until its whole images begin
    "fast-blocks": FAST._replace(**beginning(FAST.steps, FAST.fit, 0.45)),
    "blocks": BLOCKS,
    **SPRITES,
    **PLAIN,
}

VARIANTS: dict[str, dict[str, Any]] = {
    "sbd": {"decoder": "sbd"},
    "deconv": {"decoder": "deconv"},
    "sbd-x": {"decoder": "sbd", "position": "x"},
    "sbd-learned": {"decoder": "sbd", "position": "learned"},
    "sbd-rotated": {"decoder": "sbd", "position": "rotated"},
    "sbd-warped": {"decoder": "sbd", "position": "warped"},
    "deconv-xy": {"decoder": "deconv", "coordinates": True},
    "upsample": {"decoder": "upsample"},
    "upsample-xy": {"decoder": "upsample", "coordinates": True},
}
"""Arguments of `VAE` for what is compared: both decoders, and ablations that change one thing."""


def train_recipe(
    dataset: str = "circles",
    recipe: str = "fast",
    decoder: str = "sbd",
    seed: int = 0,
    steps: int | None = None,
    model: VAE | None = None,
    data: str | Path | None = None,
    **options: Any,
) -> tuple[VAE, History]:
    """Train a VAE on an endless data set by the recipe of that name.

    Args:
        dataset: A key of STREAMS.
        recipe: A key of RECIPES.
        decoder: A key of VARIANTS.
        seed: Of the initial weights, the images and the noise.
        steps: Another number of updates, over which the schedules are stretched.
        model: One to train in place of a new one.
        data: The file of a data set that is read from one.
        **options: Passed to `fit`, before the recipe's own.

    Returns:
        The model in eval mode, and the history.

    Raises:
        ValueError: A name is unknown, `fit` refuses an option, or data is not what the data set
            needs; see `make_stream`.
    """
    check_names(dataset=dataset, recipe=recipe, decoder=decoder)
    made = RECIPES[recipe]
    im_size = made.im_size if model is None else model.config["im_size"]
    source = make_stream(dataset, seed, im_size, data)
    if model is None:
        torch.manual_seed(seed)
        model = VAE(**VARIANTS[decoder], **made.model, in_channels=source.channels)
    arguments = {**made.fit, "seed": seed, **options}
    updates = made.steps if steps is None else steps
    history = fit(model, source, updates, **arguments)
    return model, history


def train_circles(
    recipe: str = "fast", decoder: str = "sbd", seed: int = 0, **options: Any
) -> tuple[VAE, History]:
    """Train a VAE on the circles; see `train_recipe`, which takes the same options."""
    return train_recipe("circles", recipe, decoder, seed, **options)


def check_names(**chosen: str) -> None:
    """Raise ValueError for a dataset, recipe or decoder that is not known."""
    known: dict[str, Mapping[str, Any]] = {
        "dataset": STREAMS,
        "recipe": RECIPES,
        "decoder": VARIANTS,
    }
    for name, value in chosen.items():
        if value not in known[name]:
            listed = ", ".join(map(repr, known[name]))
            raise ValueError(f"{name} is {value!r}; it must be one of {listed}")
