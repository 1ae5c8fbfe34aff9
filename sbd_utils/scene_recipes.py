"""How models of scenes are trained: which, how many updates, and the schedules.

Every recipe trains on endless fresh scenes of 32 x 32 pixels, with means over blocks of 4 x 4
pixels first: there a scene is divided, at a sixteenth of the cost. The squared error counts little
(w from 2, a deviation of 0.5) and the KL divergence hardly at all until that has happened.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from sbd_utils.data import SCENES
from sbd_utils.models import MODELS
from sbd_utils.training import History, fit, piecewise_constant, piecewise_linear


class SceneRecipe(NamedTuple):
    """A model and the arguments of `fit`."""

    kind: str
    """A key of MODELS."""
    model: dict[str, Any]
    """The arguments that build it."""
    steps: int
    """Number of updates."""
    fit: dict[str, Any]
    """Further arguments of `fit`."""

    @property
    def im_size(self) -> int:
        """Of the images that it trains on, in pixels."""
        return int(self.model.get("im_size", 32))

    @property
    def pool(self) -> int:
        """With which training ends, and the model must be asked."""
        schedule = self.fit["pool"]
        return int(schedule(1.0) if callable(schedule) else schedule)


def weight_of(deviation: Callable[[float], float]) -> Callable[[float], float]:
    """The schedule of w for one of the pixels' standard deviation: 1 / (2 deviation²)."""
    return lambda progress: 0.5 / deviation(progress) ** 2


# IODINE at blocks of 4, short enough to watch. How it was chosen: pretrained/README.md.
IODINE_BLOCKS = SceneRecipe(
    kind="IODINE",
    model={},
    steps=600,
    fit={
        "lr": piecewise_linear((0, 0), (0.08, 2e-3), (0.8, 1.5e-3), (1, 2e-4)),
        "w": weight_of(piecewise_linear((0.1, 0.5), (0.6, 0.2))),
        "beta": piecewise_linear((0.3, 0.01), (0.6, 1.0)),
        "scatter": piecewise_linear((0.25, 0.6), (0.5, 0.0)),
        "pool": 4,
        "batch_size": 16,
        "clip": 5000.0,
        "precision": "fp32",
    },
)

# The same for ten times as long.
IODINE_LONG = IODINE_BLOCKS._replace(steps=6000)

# Slot attention from blocks of 4 to whole images.
SLOTS = SceneRecipe(
    kind="SlotAttentionVAE",
    model={},
    steps=2400,
    fit={
        "lr": piecewise_linear((0, 0), (0.05, 2e-3), (0.6, 1.5e-3), (1, 1e-4)),
        "w": 10.0,
        "beta": piecewise_linear((0.25, 1e-3), (0.5, 0.1), (1, 0.2)),
        "pool": piecewise_constant((0, 4), (0.3, 2), (0.85, 1)),
        "batch_size": 16,
        "clip": 30_000.0,
        "precision": "fp32",
    },
)

# The same for 30,000 updates, two thirds of them of whole images: in a run of 12,000 most was
# gained in the last stage (pretrained/evidence/scenes_long_curves.csv). No trial went before it.
SLOTS_LONG = SLOTS._replace(
    steps=30_000,
    fit={
        **SLOTS.fit,
        "lr": piecewise_linear((0, 0), (0.02, 2e-3), (0.6, 1.5e-3), (1, 1e-4)),
        "beta": piecewise_linear((0.1, 1e-3), (0.3, 0.1), (1, 0.2)),
        "pool": piecewise_constant((0, 4), (0.12, 2), (0.34, 1)),
    },
)


def slots_live(coarse: int, fine: int, **further: Any) -> SceneRecipe:
    """Slot attention, short enough to watch.

    Args:
        coarse: Updates at blocks of 4, where a scene is divided or stays as it is.
        fine: Updates at blocks of 2 after them.
        **further: Arguments of `fit`.
    """
    steps = coarse + fine
    turn = coarse / steps
    schedules: dict[str, Any] = {
        "lr": piecewise_linear((0, 0), (0.1, 2e-3), (1, 1.6e-3)),
        "beta": piecewise_linear((turn, 1e-3), (1, 0.1)),
        "pool": piecewise_constant((0, 4), (turn, 2)),
    }
    return SLOTS._replace(steps=steps, fit={**SLOTS.fit, **schedules, **further})


# Of three that were tried on ten seeds each; see pretrained/README.md.
SLOTS_LIVE = slots_live(1000, 400)


# MONet from blocks of 4 to blocks of 2, made for `scenes-distinct`, where three runs of three held
# 0.94 of the sprites (pretrained/evidence/scenes.csv). No trial of it went before, and none in
# another world.
MONET = SceneRecipe(
    kind="MONet",
    model={},
    steps=2000,
    fit={
        "lr": piecewise_linear((0, 0), (0.05, 1e-3), (0.7, 1e-3), (1, 1e-4)),
        "w": piecewise_linear((0.2, 3.0), (0.7, 12.0)),
        "beta": piecewise_linear((0.3, 0.01), (0.8, 0.5)),
        "gamma": piecewise_linear((0.3, 0.05), (0.8, 0.25)),
        "pool": piecewise_constant((0, 4), (0.5, 2)),
        "batch_size": 16,
        "clip": 5000.0,
        "precision": "fp32",
    },
)


def doubled(recipe: SceneRecipe) -> SceneRecipe:
    """The recipe for images of twice the size, drawn in blocks of twice the width.

    What is drawn has as many blocks as before, and four times the squared error: so w is a quarter.
    """

    def scaled(value: Any, factor: float) -> Any:
        return (lambda progress: factor * value(progress)) if callable(value) else factor * value

    fit = recipe.fit
    sizes = {"pool": scaled(fit["pool"], 2), "w": scaled(fit["w"], 0.25)}
    model = {**recipe.model, "im_size": 2 * recipe.im_size}
    return recipe._replace(model=model, fit={**fit, **sizes})


def changed(recipe: SceneRecipe, **model: Any) -> SceneRecipe:
    """The recipe for a model that differs in some arguments."""
    return recipe._replace(model={**recipe.model, **model})


SCENE_RECIPES: dict[str, SceneRecipe] = {
    "iodine-blocks": IODINE_BLOCKS,
    "iodine-blocks-64": doubled(IODINE_BLOCKS),
    "iodine-blocks-rgb": changed(IODINE_BLOCKS, flat=False),
    "iodine-blocks-shared": changed(IODINE_BLOCKS, own_starts=False),
    "iodine-long": IODINE_LONG,
    "monet": MONET,
    "slots": SLOTS,
    "slots-64": doubled(SLOTS),
    "slots-live": SLOTS_LIVE,
    "slots-live-1500": slots_live(1500, 200),
    "slots-live-batch32": slots_live(
        700, 400, batch_size=piecewise_constant((0, 32), (700 / 1100, 16))
    ),
    "slots-live-rgb": changed(SLOTS_LIVE, flat=False),
    "slots-long": SLOTS_LONG,
    "slots-rgb": changed(SLOTS, flat=False),
    "slots-shared": changed(SLOTS, own_starts=False),
}
"""Recipes by the name that tables hold."""

LIVE_MARKS = {"iodine-blocks": 0.5, "slots-live": 0.4}
"""The share of sprites that one slot holds (`held` in `SegmentationScores`) above which a short run
counts as having taken scenes apart. In pretrained/evidence/scenes.csv all ten runs of either do; on
two other processors eight and nine of the same ten of slot attention (scenes_again.csv,
scenes_third.csv). Voronoi's tiles, which know nothing of the scene, hold 0.03."""


def train_scenes(
    recipe: str = "iodine-blocks",
    dataset: str = "scenes",
    seed: int = 0,
    steps: int | None = None,
    model: Any = None,
    **options: Any,
) -> tuple[Any, History]:
    """Train a model of scenes by the recipe of that name.

    Args:
        recipe: A key of SCENE_RECIPES.
        dataset: A key of SCENES.
        seed: Of the initial weights, the scenes and the noise.
        steps: Another number of updates, over which the schedules are stretched.
        model: One to train in place of a new one.
        **options: Passed to `fit`, before the recipe's own.

    Returns:
        The model in eval mode, and the history.

    Raises:
        ValueError: A name is unknown, or `fit` refuses an option.
    """
    for name, value, known in [
        ("recipe", recipe, list(SCENE_RECIPES)),
        ("dataset", dataset, list(SCENES)),
    ]:
        if value not in known:
            listed = ", ".join(map(repr, known))
            raise ValueError(f"{name} is {value!r}; it must be one of {listed}")
    made = SCENE_RECIPES[recipe]
    if model is None:
        torch.manual_seed(seed)
        model = MODELS[made.kind](**made.model)
    source = SCENES[dataset](seed=seed, im_size=model.config["im_size"])
    arguments = {**made.fit, "seed": seed, **options}
    return model, fit(model, source, made.steps if steps is None else steps, **arguments)
