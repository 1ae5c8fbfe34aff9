"""What a model makes of scenes, scored: its masks, its blend, and what its slots' codes tell."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sbd_utils.analysis import factor_r2
from sbd_utils.data import Factor, Scenes, SceneStream
from sbd_utils.metrics import (
    SegmentationScores,
    block_ceiling,
    fit_geometry,
    holding_slots,
    score_segmentation,
)

AT_A_TIME = 50
"""Scenes that are inferred together."""


class TakenApart(NamedTuple):
    """What a model makes of scenes, as arrays of the scenes' own size."""

    masks: np.ndarray
    """[N, S, H, H], summing to 1 over the slots."""
    images: np.ndarray
    """The blends [N, C, H, H]."""
    codes: np.ndarray
    """Means of the posteriors [N, S, z_dim]."""


class SceneScores(NamedTuple):
    """What `score_scenes` returns."""

    scores: dict[str, float]
    """Means over the scenes of what `SegmentationScores` has, by name."""
    ceiling: dict[str, float]
    """The same of the true masks and images, averaged over blocks."""
    factor_r2: dict[str, float] | None
    """R² of each factor of the objects that a slot holds, by all latents of that slot, held out,
    see `Scores.factor_r2`; None where too few are held."""
    pair_r2: float | None
    """The affine R² (see `fit_geometry`) of place and the best two of a slot's latents, likewise;
    the best of many pairs, so a little of it is luck."""


@torch.no_grad()
def take_apart(model: Any, images: Tensor, pool: int = 1, **options: Any) -> TakenApart:
    """Have a model infer slots; what it draws in blocks becomes as large as the images.

    Args:
        model: One whose `model(images, pool=…)` gives `Slots`, in eval mode, of any dtype and on
            any device.
        images: [N, C, H, H].
        pool: Width of the blocks in pixels: that with which training ended.
        **options: Further ones that the model takes, such as `slots`.
    """
    masks, blends, codes = [], [], []
    like = next(model.parameters())
    for part in images.split(AT_A_TIME):
        slots = model(part.to(like), pool=pool, **options)
        masks.append(_enlarged(slots.layers.masks[:, :, 0], pool))
        blends.append(_enlarged(slots.layers.image, pool))
        codes.append(slots.mean)
    together = (torch.cat(each).double().cpu().numpy() for each in (masks, blends, codes))
    return TakenApart(*together)


def score_scenes(
    model: Any, scenes: Scenes, stream: SceneStream, pool: int = 1, **options: Any
) -> SceneScores:
    """Score what a model makes of scenes.

    Args:
        model: As `take_apart` takes it.
        scenes: Some that training does not use.
        stream: Where they are from: it knows the factors.
        pool: See `take_apart`.
        **options: See `take_apart`.

    Raises:
        ValueError: See `score_segmentation`.
    """
    found = take_apart(model, scenes.images, pool, **options)
    scores = score_segmentation(scenes.masks, found.masks, scenes.images, found.images)
    codes, factors = codes_of_objects(found, scenes)
    return SceneScores(
        scores.means(),
        block_ceiling(scenes.masks, scenes.images, pool).means(),
        *_what_codes_tell(codes, factors, stream),
    )


def codes_of_objects(found: TakenApart, scenes: Scenes) -> tuple[np.ndarray, Tensor]:
    """Codes of the slots that hold an object, and what it is: [M, z_dim] and factors [M, F]."""
    holder = holding_slots(scenes.masks, found.masks)  # [N, K]
    scene, thing = np.nonzero(holder >= 0)
    return found.codes[scene, holder[scene, thing]], scenes.factors[scene, thing]


def _what_codes_tell(
    codes: np.ndarray, factors: Tensor, stream: SceneStream
) -> tuple[dict[str, float] | None, float | None]:
    """`SceneScores.factor_r2` and `pair_r2`."""
    z_dim = codes.shape[1]
    if len(codes) < 2 * (z_dim + 2) or z_dim < 2 or not _all_occur(factors, stream.factors):
        return None, None
    places = factors[:, :2].numpy()
    pairs = itertools.combinations(range(z_dim), 2)
    straightest = max(fit_geometry(places, codes[:, pair]).affine_r2 for pair in pairs)
    return factor_r2(torch.from_numpy(codes), factors, stream.factors), straightest


def _all_occur(factors: Tensor, known: Sequence[Factor]) -> bool:
    """Whether every kind, and two values of whatever else varies, are in both halves of [M, F]."""
    half = len(factors) // 2
    wanted = [len(factor.levels) if factor.kinds else 2 for factor in known]
    return all(
        len(part[:, column].unique()) >= count
        for part in (factors[:half], factors[half:])
        for column, (factor, count) in enumerate(zip(known, wanted, strict=True))
        if factor.varies
    )


def control_scores(masks: np.ndarray, scenes: Scenes) -> SegmentationScores:
    """The scores of masks that are no model's; drawn is each mask's mean colour."""
    images = scenes.images.double().numpy()
    weight = masks / np.maximum(masks.sum((2, 3), keepdims=True), 1e-9)
    colors = np.einsum("nshw,nchw->nsc", weight, images)
    blends = np.einsum("nshw,nsc->nchw", masks, colors)
    return score_segmentation(scenes.masks, masks, images, blends)


def _enlarged(values: Tensor, pool: int) -> Tensor:
    return values.repeat_interleave(pool, -1).repeat_interleave(pool, -2)
