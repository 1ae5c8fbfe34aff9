"""One scene, and the slot in a hand: an object is taken, moved, recoloured or removed by its code.

The core knows no page. What it changes is the code of one slot; the picture is the model's blend of
all slots that are there.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sbd_utils.data import SceneStream
from sbd_utils.scene_scoring import codes_of_objects, take_apart

LABELED = 300
"""Scenes with known factors, by which the directions of a code are found."""
SEED = 1_000_003
"""Of these scenes, which training does not use."""
CORRECTIONS = 3
"""After a step along a direction it is looked where that has led, and so many times stepped on."""
LEAST_MASK = 1.0
"""Pixels: a slot whose mask, squared and summed, is smaller is nowhere to be seen."""
FAINT = 0.05
"""A colour whose greatest and least channel are no farther apart has no hue."""


class Directions(NamedTuple):
    """How a slot's code changes with its object, by linear regression."""

    x: Tensor
    """[z_dim] a pixel to the right."""
    y: Tensor
    """[z_dim] a pixel down."""
    cosine: Tensor
    """[z_dim] of the hue's angle."""
    sine: Tensor
    """[z_dim] likewise."""


def code_directions(codes: Tensor, factors: Tensor) -> Directions:
    """The directions of codes with known factors.

    Args:
        codes: Of slots that hold an object, [M, z_dim].
        factors: Of these objects, [M, F], as `SceneStream.factors` has them.

    Raises:
        ValueError: These are fewer than ten codes, or not as many factors.
    """
    if len(codes) != len(factors) or len(codes) < 10:
        found = f"there are {len(codes)} codes and factors of {len(factors)} objects"
        raise ValueError(f"{found}; there must be as many of both, at least 10")
    x, y, _, _, hue = factors.float().T
    angle = torch.deg2rad(hue)
    known = torch.stack([x, y, angle.cos(), angle.sin(), torch.ones_like(x)], 1)  # [M, 5]
    return Directions(*torch.linalg.lstsq(known, codes.float()).solution[:4])


def learn_directions(model: Any, pool: int = 1) -> Directions:
    """Those of a model, from scenes whose factors are known; training had no such labels.

    Args:
        model: A model of scenes, in eval mode.
        pool: See `take_apart`.
    """
    scenes = SceneStream(seed=SEED, im_size=model.config["im_size"]).batch(1, LABELED)
    codes, factors = codes_of_objects(take_apart(model, scenes.images, pool), scenes)
    return code_directions(torch.from_numpy(codes), factors)


class SceneInHand:
    """A scene as a model drew it, of which one slot at a time can be held.

    Places are in pixels, x to the right, y down, hues in degrees. What is asked of a slot is
    reached about: `place` and `hue` say what was drawn.
    """

    def __init__(self, model: Any, image: Tensor, directions: Directions | None = None) -> None:
        """Have the model infer the slots of a scene.

        Args:
            model: A model of scenes, such as `SlotAttentionVAE`, in eval mode.
            image: [C, H, H] in [0, 1].
            directions: By default found here, which takes seconds.

        Raises:
            ValueError: The model takes other images.
        """
        self.model = model
        self.directions = learn_directions(model) if directions is None else directions
        with torch.no_grad():
            slots = model(image[None])
        self.first = slots.mean[0].clone()  # [K, z_dim]
        self.size = image.shape[-1]
        self.reset()

    def reset(self) -> None:
        """The scene as it was inferred, nothing in the hand."""
        self.codes = self.first.clone()
        self.there = list(range(len(self.codes)))
        self.held: int | None = None
        self.asked = "Nothing is held."
        self.grip = (0.0, 0.0)  # from what is held to the hand
        self._draw()
        wins = self.masks.argmax(0).flatten().bincount(minlength=len(self.there))
        self.ground = self.there[int(wins.argmax())]

    def _draw(self) -> None:
        """The layers of the slots that are there: masks [S, H, H], pictures [S, C, H, H]."""
        with torch.no_grad():
            layers = self.model.decoder(self.codes[None, self.there])
        self.masks, self.pictures = layers.masks[0, :, 0], layers.pictures[0]
        self.image = layers.image[0].clamp(0, 1)

    def picture(self) -> Tensor:
        """The scene as the model draws it now, [C, H, H] in [0, 1]."""
        return self.image

    def things(self) -> list[int]:
        """Slots that are there, are not the ground, and are to be seen."""
        return [k for k in self.there if k != self.ground and self._light(k) >= LEAST_MASK]

    def mask(self, slot: int) -> Tensor:
        """How much of a pixel is a slot's, [H, H] in [0, 1]."""
        return self.masks[self.there.index(slot)]

    def _light(self, slot: int) -> float:
        return self.mask(slot).square().sum().item()

    def place(self, slot: int) -> tuple[float, float]:
        """The middle (x, y) of a slot's mask, squared, so that faint edges do not count."""
        weight = self.mask(slot).square()
        middles = torch.arange(self.size) + 0.5
        total = weight.sum().clamp(min=1e-9)
        x, y = (weight.sum(axis) @ middles / total for axis in (0, 1))
        return x.item(), y.item()

    def hue(self, slot: int) -> float | None:
        """The hue that a slot paints, 0 to 360; None for grey."""
        mask = self.mask(slot)
        total = mask.sum().clamp(min=1e-9)
        painted = (self.pictures[self.there.index(slot)] * mask).sum((1, 2)) / total
        red, green, blue = painted.clamp(0, 1).tolist()
        if max(red, green, blue) - min(red, green, blue) < FAINT:
            return None
        angle = math.atan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)
        return math.degrees(angle) % 360

    # What a hand does

    def take(self, x: float, y: float) -> None:
        """Take what is seen at a place, the ground apart.

        Raises:
            ValueError: x or y is outside the image.
        """
        self._check_place(x, y)
        seen = self.masks[:, min(int(y), self.size - 1), min(int(x), self.size - 1)]
        slot = self.there[int(seen.argmax())]
        if slot == self.ground:
            self.held, self.asked = None, "That is the ground. Nothing is held."
            return
        self._hold(slot)
        middle = self.place(slot)
        self.grip = (middle[0] - x, middle[1] - y)

    def take_next(self, step: int = 1) -> None:
        """Take the next of the things, or with -1 the one before; after the last the first."""
        things = self.things()
        if not things:
            self.held, self.asked = None, "There is nothing left to take."
            return
        if self.held not in things:
            self._hold(things[0 if step > 0 else -1])
            return
        at = things.index(self.held) + step
        self._hold(things[at % len(things)])

    def _hold(self, slot: int) -> None:
        self.held, self.asked, self.grip = slot, "", (0.0, 0.0)

    def drag(self, x: float, y: float) -> None:
        """Move what is held with the hand, which took it at some place of it."""
        self.move(*(min(max(each, 0), self.size) for each in (x + self.grip[0], y + self.grip[1])))

    def move(self, x: float, y: float) -> None:
        """Move what is held to a place; nothing happens with an empty hand.

        Raises:
            ValueError: x or y is outside the image.
        """
        self._check_place(x, y)
        if self.held is None:
            return
        before = self.place(self.held)
        for _ in range(CORRECTIONS):
            now = self.place(self.held) if self._light(self.held) >= LEAST_MASK else before
            step = (x - now[0]) * self.directions.x + (y - now[1]) * self.directions.y
            self.codes[self.held] += step
            self._draw()
            if self._light(self.held) < LEAST_MASK:  # behind another: nothing to look at
                break
        self.asked = f"Asked for ({x:.0f}, {y:.0f})."

    def recolor(self, hue: float) -> None:
        """Give what is held another hue, in degrees; nothing happens with an empty hand.

        Raises:
            ValueError: hue is not finite.
        """
        if not math.isfinite(hue):
            raise ValueError(f"hue is {hue}; it must be a finite number of degrees")
        if self.held is None:
            return
        wanted = math.radians(hue)
        for _ in range(CORRECTIONS):
            painted = self.hue(self.held)
            if painted is None:
                break
            now = math.radians(painted)
            step = (math.cos(wanted) - math.cos(now)) * self.directions.cosine
            step = step + (math.sin(wanted) - math.sin(now)) * self.directions.sine
            self.codes[self.held] += step
            self._draw()
        self.asked = f"Asked for hue {hue % 360:.0f}°."

    def remove(self) -> None:
        """Leave what is held out of the softmax; nothing happens with an empty hand."""
        if self.held is None:
            return
        self.there.remove(self.held)
        self.held, self.asked = None, f"Slot {self.held} is taken out. Nothing is held."
        self._draw()

    def status(self) -> str:
        """What is held and where the model draws it, in a sentence or two."""
        if self.held is None:
            return self.asked
        x, y = self.place(self.held)
        hue = self.hue(self.held)
        color = "" if hue is None else f", hue {hue:.0f}°"
        words = f"Slot {self.held} is held: drawn at ({x:.0f}, {y:.0f}){color}."
        return f"{words} {self.asked}".strip()

    def _check_place(self, x: float, y: float) -> None:
        for name, value in (("x", x), ("y", y)):
            if not 0 <= value <= self.size:
                raise ValueError(
                    f"{name} is {value}; it must be within the image, 0 to {self.size}"
                )
