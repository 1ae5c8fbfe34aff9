"""The checks of assignment 5: masks, the mixture, two indices, a scene without one of its slots."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.checks.kit import (
    Mistakes,
    call,
    expect,
    is_number,
    is_tensor,
    parts,
    passed,
    same,
)

# Task 1: masks


def slot_masks(function: Callable[..., Any]) -> None:
    """Check a function that makes masks of logits.

    Args:
        function: logits [N, K, 1, H, W] -> masks of the same shape.
    """
    shares = torch.tensor([[[1.0, 2], [3, 1]], [[2.0, 2], [1, 1]], [[3.0, 4], [4, 8]]])
    logits = torch.stack([shares, shares.flip(0) ** 2])[:, :, None].log()  # [2, 3, 1, 2, 2]
    right = logits.exp() / logits.exp().sum(1, keepdim=True)
    got = call(function, logits=logits)
    is_tensor(got, (2, 3, 1, 2, 2), "the masks of 2 scenes of 3 slots")
    same(got, right, "the masks", mistaken_masks(logits))
    shifted = call(function, logits=logits + 1000)
    is_tensor(shifted, (2, 3, 1, 2, 2), "the masks of logits about 1000")
    same(shifted, right, "the masks of the same logits plus 1000")
    far = torch.tensor([0.0, -1000, 800]).view(1, 3, 1, 1, 1)
    got = call(function, logits=far)
    is_tensor(got, (1, 3, 1, 1, 1), "the masks of logits 0, -1000 and 800")
    same(got.flatten(), [0, 0, 1], "the masks of logits 0, -1000 and 800")
    passed("slot_masks")


def mistaken_masks(logits: Tensor) -> Mistakes:
    """What the usual mistakes make of logits [N, K, 1, H, W]."""
    hard = (logits == logits.amax(1, keepdim=True)).float()
    wrong = "this is a softmax over {}; the *slots* compete for each pixel."
    return {
        wrong.format("the scenes"): logits.softmax(0),
        wrong.format("the rows of the image"): logits.softmax(3),
        wrong.format("the columns of the image"): logits.softmax(4),
        wrong.format("all pixels"): logits.flatten(3).softmax(3).view_as(logits),
        "this is a sigmoid: each slot for itself, and the masks do not sum to 1.": logits.sigmoid(),
        "these are masks of 0 and 1; a softmax is asked for, through which one can learn.": hard,
        "these are the masks' logarithms; take exp.": logits.log_softmax(1),
        "exp alone does not make the masks sum to 1: divide by the sum over slots.": logits.exp(),
        "the slot with the *least* logit has the largest mask here: there is a minus too many.": (
            -logits
        ).softmax(1),
    }


# Task 2: the mixture


def log_likelihood(function: Callable[..., Any]) -> None:
    """Check a function that gives a scene's log-likelihood.

    Args:
        function: (images [N, C, H, W], pictures [N, K, C, H, W], logits [N, K, 1, H, W], w) ->
            [N].
    """
    images, pictures, logits = _two_scenes()
    got = call(function, images=images, pictures=pictures, logits=logits, w=2.0)
    is_tensor(got, (2,), "the log-likelihood of 2 scenes")
    right = _by_hand(images, pictures, logits, 2.0)
    same(got, right, "the log-likelihood", mistaken_likelihoods(images, pictures, logits, 2.0))
    one_pixel = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1)
    given = {"images": torch.ones(1, 1, 1, 1), "pictures": one_pixel, "logits": one_pixel * 0}
    got = call(function, **given, w=3.0)
    what = "the log-likelihood of a white pixel that is half black's and half white's"
    is_tensor(got, (1,), what)
    same(got, [math.log(0.5 * math.exp(-3) + 0.5)], what)
    given["images"] = 20 + given["images"]
    got = call(function, **given, w=100.0)
    what = "the log-likelihood of a pixel of brightness 21, where exp alone gives 0"
    is_tensor(got, (1,), what)
    same(got, [math.log(0.5) - 100 * 20**2], what)
    passed("log_likelihood")


def _two_scenes() -> tuple[Tensor, Tensor, Tensor]:
    """Two scenes of two slots, three channels and 2 x 1 pixels."""
    images = torch.tensor([0.2, 0.9, 0.5, 0.1, 0.4, 0.8, 0.3, 0.6, 0.7, 0.0, 1.0, 0.5])
    pictures = torch.linspace(0, 1, 24).flip(0)
    logits = torch.tensor([0.0, 1.0, -1.0, 0.5, 2.0, 0.0, 0.0, -0.5])
    return images.view(2, 3, 2, 1), pictures.view(2, 2, 3, 2, 1), logits.view(2, 2, 1, 2, 1)


def _by_hand(images: Tensor, pictures: Tensor, logits: Tensor, w: float) -> Tensor:
    masks = logits.softmax(1)
    error = (images[:, None] - pictures).square().sum(2, keepdim=True)  # [N, K, 1, H, W]
    return (masks * (-w * error).exp()).sum(1).log().sum((1, 2, 3))


def mistaken_likelihoods(images: Tensor, pictures: Tensor, logits: Tensor, w: float) -> Mistakes:
    """What the usual mistakes make of scenes."""
    masks = logits.softmax(1)
    squares = (images[:, None] - pictures).square()
    error = squares.sum(2, keepdim=True)
    blend = (images - (masks * pictures).sum(1)).square()
    every = (masks * (-w * error).exp()).sum(1)  # [N, 1, H, W]
    channels = (masks * (-w * squares).exp()).sum(1)  # [N, C, H, W]
    pixels = (1, 2, 3)
    of_slots = (masks.log() - w * error).sum((1, 2, 3, 4))
    unweighted = (-w * error).exp().sum(1).log().sum(pixels)
    halved = (masks * (-error / (2 * w)).exp()).sum(1).log().sum(pixels)
    return {
        "this is -w times the squared error of the blend; a pixel is wholly one slot's, and the "
        "sum over slots stands inside the logarithm.": -w * blend.sum(pixels),
        "the logarithm was taken of each slot before the masks weighed it: sum over slots first, "
        "then take the logarithm.": -w * (masks * error).sum((1, 2, 3, 4)),
        "this is the mean over pixels; a likelihood of independent pixels is a sum of "
        "logarithms.": every.log().mean(pixels),
        "pixels were added before the logarithm; add their logarithms.": every.sum(pixels).log(),
        "a pixel's channels belong together: sum the squared error over channels first; here each "
        "channel chooses its own slot.": channels.log().sum(pixels),
        "slots multiply here, as if every one had to paint the pixel; they are alternatives, whose "
        "probabilities add.": of_slots,
        "there are no masks in it: weigh each slot by its mask.": unweighted,
        "w multiplies the squared error; 1 / (2 w) is the variance.": halved,
        "w is missing.": (masks * (-error).exp()).sum(1).log().sum(pixels),
        "this is the likelihood's negative.": -every.log().sum(pixels),
        "the squared error is averaged over channels; sum it.": (
            (masks * (-w * squares.mean(2, keepdim=True)).exp()).sum(1).log().sum(pixels)
        ),
    }


# Task 3: two indices

TRUE = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
FOUND = [0, 0, 0, 3, 0, 1, 1, 1, 1, 2, 2, 3]
"""For which every known mistake gives numbers of its own."""


def two_indices(function: Callable[..., Any]) -> None:
    """Check a function that gives the adjusted Rand index, of all pixels and of the objects'.

    Args:
        function: (true [P], found [P]) -> the index of all pixels, that of those where true is not
            0.
    """
    true = np.array(TRUE)
    got = _two(call(function, true=true, found=np.array(FOUND)), "12 pixels")
    _compare_indices(got, true, np.array(FOUND))
    thing = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    tiles = np.array([1, 1, 2, 2, 1, 1, 1, 2, 2, 2])
    halves, crosswise = np.array([1, 1, 2, 2]), np.array([4, 5, 4, 5])
    for what, of_truth, found, right in [
        ("found as true", thing, thing, (1, 1)),
        ("other numbers for the same parts", thing, np.array([5, 2, 9])[thing], (1, 1)),
        ("both objects in one slot", thing, np.minimum(thing, 1), (64 / 109, 0)),
        ("tiles that part the objects, and cut the ground", thing, tiles, (0.25, 1)),
        ("objects cut crosswise, worse than by chance", halves, crosswise, (-0.5, -0.5)),
        ("one slot for all", np.array([0, 0, 1, 1, 1, 1]), np.zeros(6, dtype=int), (0, 1)),
    ]:
        got = _two(call(function, true=of_truth, found=found), what)
        same(got[0], right[0], f"{what}: the index of all pixels")
        same(got[1], right[1], f"{what}: the objects' index")
    passed("two_indices")


def _two(answer: Any, what: str) -> tuple[float, float]:
    both = parts(answer, 2, f"{what}: two numbers are asked for, the index of all pixels first.")
    return is_number(both[0], "the index of all pixels"), is_number(both[1], "the objects' index")


def _compare_indices(got: tuple[float, float], true: np.ndarray, found: np.ndarray) -> None:
    seen, kept = true > 0, found > 0
    right = _index(true, found), _index(true[seen], found[seen])
    expect(
        not np.allclose(got, right[::-1]),
        "the two are exchanged; the index of all pixels comes first.",
    )
    same(got[0], right[0], "the index of 12 pixels", mistaken_indices(true, found))
    mistakes: Mistakes = {
        "the ground is still in it: leave out the pixels where true is 0.": right[0],
        "this leaves out what *found* calls 0; slots' numbers mean nothing: ask the truth.": (
            _index(true[kept], found[kept])
        ),
    }
    of_objects = mistaken_indices(true[seen], found[seen])
    same(got[1], right[1], "the index of the objects' pixels of 12", {**mistakes, **of_objects})


def _counts(true: np.ndarray, found: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The contingency table's cells, rows and columns."""
    table = np.array([[(true == t) & (found == f) for f in set(found)] for t in set(true)]).sum(2)
    return table.ravel(), table.sum(1), table.sum(0)


def _index(true: np.ndarray, found: np.ndarray) -> float:
    both, rows, columns = (_pairs(counts).sum() for counts in _counts(true, found))
    chance = rows * columns / max(_pairs(len(true)), 1)
    room = (rows + columns) / 2 - chance
    return float((both - chance) / room) if room else 1.0


def _pairs(counts: Any) -> Any:
    return np.asarray(counts) * (np.asarray(counts) - 1) / 2


def mistaken_indices(true: np.ndarray, found: np.ndarray) -> Mistakes:
    """What the usual mistakes make of partitions."""
    cells = _counts(true, found)
    both, rows, columns = (_pairs(counts).sum() for counts in cells)
    every = max(_pairs(len(true)), 1)
    rand = (every + 2 * both - rows - columns) / every
    chance = rows * columns / every
    squares = [np.square(counts).sum() for counts in cells]
    of_squares = squares[1] * squares[2] / len(true) ** 2
    room = (squares[1] + squares[2]) / 2 - of_squares
    less = max(rows, columns) - chance
    return {
        "this is the Rand index, not adjusted for chance.": rand,
        "this is the share of pixels with the same number; a slot's number means nothing.": (
            np.mean(true == found)
        ),
        "chance is not taken off: subtract it above and below.": both
        / max((rows + columns) / 2, 1),
        "n² was taken for the pairs among n pixels; it is n (n - 1) / 2.": (
            (squares[0] - of_squares) / room if room else 1.0
        ),
        "below stands the larger number of pairs; it is the mean of the two, less chance.": (
            (both - chance) / less if less else 1.0
        ),
        "chance is taken off above alone; the room below is smaller by it, too.": (
            (both - chance) / max((rows + columns) / 2, 1)
        ),
    }


# Task 4: a scene without one of its slots


def scene_without(function: Callable[..., Any]) -> None:
    """Check a function that blends a scene, one slot left out.

    Args:
        function: (pictures [K, C, H, W], logits [K, 1, H, W], slot) -> image [C, H, W].
    """
    pictures = torch.tensor([0.1, 0.9, 0.5, 0.3, 0.8, 0.2]).view(3, 2, 1, 1)
    pictures = pictures + torch.zeros(3, 2, 1, 2)
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0, 0.5, 0.5]).view(3, 1, 1, 2)
    for slot in (1, 0, 2):
        kept = [k for k in range(3) if k != slot]
        masks = logits[kept].softmax(0)
        right = (masks * pictures[kept]).sum(0)
        got = call(function, pictures=pictures, logits=logits, slot=slot)
        what = f"the scene without slot {slot} of 3"
        is_tensor(got, (2, 1, 2), what)
        same(got, right, what, mistaken_scenes(pictures, logits, slot))
    huge = torch.tensor([2000.0, -500.0, -1000.0]).view(3, 1, 1, 1).expand(3, 1, 1, 2)
    got = call(function, pictures=pictures, logits=huge, slot=0)
    is_tensor(got, (2, 1, 2), "the scene without a slot that hid all others")
    same(got, pictures[1], "the scene without a slot that hid all others")
    passed("scene_without")


def mistaken_scenes(pictures: Tensor, logits: Tensor, slot: int) -> Mistakes:
    """What the usual mistakes make of a scene."""
    masks, kept = logits.softmax(0), [k for k in range(len(logits)) if k != slot]
    zero = logits.clone()
    zero[slot] = 0
    whole = (masks * pictures).sum(0)
    hole = whole - masks[slot] * pictures[slot]
    after = (logits[kept].softmax(0) * pictures[kept]).sum(0)
    even = masks[kept] + masks[slot] / len(kept)
    return {
        "nothing was left out: this is the whole scene.": whole,
        "a hole is left: the masks of the others must sum to 1 again, since what was hidden comes "
        "forth.": hole,
        "a logit of 0 is no absence: exp(0) is 1. Leave the slot out, or give it -inf.": (
            (zero.softmax(0) * pictures).sum(0)
        ),
        "this is the slot alone, the others left out.": pictures[slot],
        "the slot's share was given to the others in equal parts; it is theirs in proportion to "
        "their masks.": (even * pictures[kept]).sum(0),
        "this is the mean of the others' pictures, whatever their masks.": pictures[kept].mean(0),
        "another slot was left out than was asked for: slots count from 0.": (
            logits[_all_but(logits, slot - 1)].softmax(0) * pictures[_all_but(logits, slot - 1)]
        ).sum(0),
        "the picture is twice as bright: weigh by masks that sum to 1.": 2 * after,
    }


def _all_but(logits: Tensor, slot: int) -> list[int]:
    return [k for k in range(len(logits)) if k != slot % len(logits)]
