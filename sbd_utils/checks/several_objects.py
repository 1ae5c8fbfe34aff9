"""The checks of the exercises of notebook 09: logits, valleys, slots exchanged, tiles."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.checks.kit import as_array, expect, is_number, same, solved, unwritten


def logit_ahead(ahead: Any, share: float = 0.99) -> None:
    """Check by how much a logit must be ahead of one other to have a share of a pixel.

    Args:
        ahead: The student's.
        share: That is asked for.
    """
    if unwritten(ahead):
        return
    number = is_number(ahead, "ahead")
    right = math.log(share / (1 - share))
    mistakes = {
        "this is the logarithm of the share; both slots' exps stand below.": math.log(share),
        "this is the ratio of the two exps; its logarithm is the difference of logits.": (
            share / (1 - share)
        ),
        "this is the other slot's lead; the sign is turned.": -right,
    }
    same(number, right, "ahead", mistakes, tolerance=0.03)
    solved("logit_ahead")


def one_valley(std: Any) -> None:
    """Check from which deviation on the mixture of 0 and 1, half and half, has one valley.

    Args:
        std: The student's.
    """
    if unwritten(std):
        return
    number = is_number(std, "std")
    expect(
        not math.isclose(number, 0.25, rel_tol=0.05),
        "this is the variance there; its root is asked for.",
    )
    expect(
        not math.isclose(number, 1, rel_tol=0.05),
        "this is the distance of the two colours; two deviations fit into it.",
    )
    same(number, 0.5, "std", tolerance=0.05)
    solved("one_valley")


def exchanged_slots(exchanged: Any, codes: ArrayLike, first: int, second: int) -> None:
    """Check codes of two scenes, of which one slot each has gone to the other.

    Args:
        exchanged: The student's, [2, K, z_dim].
        codes: As they were.
        first: The slot of the first scene that goes to the second.
        second: That of the second scene.
    """
    if unwritten(exchanged):
        return
    before = as_array(codes)
    right = before.copy()
    right[0, first], right[1, second] = before[1, second], before[0, first]
    whole, lost = before[::-1].copy(), before.copy()
    lost[0, first] = before[1, second]
    lost[1, second] = lost[0, first]
    crossed = before.copy()
    crossed[0, first], crossed[1, first] = before[1, first], before[0, first]
    mistakes = {
        "nothing was exchanged.": before,
        "whole scenes were exchanged; one slot of each is asked for.": whole,
        "one code was written over before it was copied: both scenes have the second's.": lost,
        "the same slot was taken in both scenes; the second scene's is `second`.": crossed,
    }
    same(exchanged, right, "the codes", mistakes)
    solved("exchanged_slots")


def blind_tiles(tiles: Any, true_masks: ArrayLike) -> None:
    """Check masks that part the objects as the truth does, and share the ground among them.

    Args:
        tiles: The student's, [N, S, H, W].
        true_masks: [N, K + 1, H, W], the ground first.
    """
    if unwritten(tiles):
        return
    truth = as_array(true_masks).argmax(1)
    masks = as_array(tiles, "tiles")
    fits = masks.ndim == 4 and masks.shape[::2] == (len(truth), truth.shape[1])
    expect(
        fits and masks.shape[3] == truth.shape[2],
        f"tiles has shape {list(masks.shape)}; it must be [N, S, H, W], of as many scenes and "
        "pixels as the truth.",
    )
    won = masks.argmax(1)
    for number, (thing, slot) in enumerate(zip(truth, won, strict=True)):
        _tiles_of_a_scene(thing, slot, number)
    solved("blind_tiles")


def _tiles_of_a_scene(thing: np.ndarray, slot: np.ndarray, number: int) -> None:
    objects = set(thing[thing > 0].tolist())
    holders = {each: set(slot[thing == each].tolist()) for each in objects}
    expect(
        all(len(slots) == 1 for slots in holders.values()),
        f"scene {number}: an object is cut up; each must be in one slot.",
    )
    used = set().union(*holders.values())
    expect(len(used) == len(objects), f"scene {number}: two objects are in one slot.")
    of_ground = set(slot[thing == 0].tolist())
    expect(
        of_ground <= used,
        f"scene {number}: the ground has a slot of its own; give its pixels to the objects' slots.",
    )
    expect(
        len(of_ground) > 1 or len(objects) == 1,
        f"scene {number}: one object's slot has all the ground, and ARI would be high; cut it up.",
    )
