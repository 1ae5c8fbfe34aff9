"""A scene in hand, without its face: its objects are taken by their slots, and it is drawn anew.

`SceneExplorer` puts it on a page.
"""

import colorsys
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from sbd_utils.data import SceneStream
from sbd_utils.explorer.directions import learn_directions
from sbd_utils.explorer.events import Reset, read_event, read_integer, shortened
from sbd_utils.explorer.pictures import gif, png, side_by_side, to_bytes
from sbd_utils.scene_scoring import take_apart

SEED = 0
"""Of the scenes, where nothing else is said.

Of the first twelve `slots_scenes` takes one apart in part only."""
SCENES = 12
"""Scenes among which a hand chooses."""
LEAST = 8
"""A slot that wins fewer pixels of a scene than these is spare."""
SHARED = 0.5
"""Two slots draw one object if their masks have a larger share of the smaller one in common."""
SPAN = 3.0
"""Sliders of latents reach at least this far."""
GREY = 0.1
"""A colour whose channels differ by less than this has no hue."""
SCALE = 8
"""Width of a picture's pixel in a file, in pixels."""
FILM_STEPS = 16
"""Pictures of a film one way."""


class OpenScene(NamedTuple):
    """Take another scene, as the model has inferred it."""

    scene: int


class Choose(NamedTuple):
    """Choose a slot."""

    slot: int


class Place(NamedTuple):
    """Move an object to a place, in pixels, by its slot's code."""

    slot: int
    x: float
    y: float


class Turn(NamedTuple):
    """Give an object a hue in degrees, by its slot's code."""

    slot: int
    degrees: float


class SetLatent(NamedTuple):
    """Give one latent of a slot a value."""

    slot: int
    latent: int
    value: float


class Show(NamedTuple):
    """Leave a slot out of the scene, or bring it back."""

    slot: int
    value: bool


SCENE_EVENTS: dict[str, type] = {
    "scene": OpenScene,
    "choose": Choose,
    "place": Place,
    "hue": Turn,
    "latent": SetLatent,
    "show": Show,
    "reset": Reset,
}
"""What a hand can do, by the type that a dictionary gives."""


class SceneInHand:
    """Scenes, of which one is in hand: a code for each slot, and what the decoder draws of them.

    All state is the scene's index, the slot that was touched last, the codes, and which slots are
    shown; the same codes give the same picture, whichever way they came about.

    Where slots are spare, two may draw one object, and moving one would leave the other: a scene
    opens with one of the two left out. What that changes, in scenes of `slots_scenes` that were not
    fitted, is in tests/explorer/test_scene.py: the picture hardly, the slots much.

    Example:
        >>> from sbd_utils import load_pretrained
        >>> hand = SceneInHand(load_pretrained("slots_scenes"))
        >>> slot = hand.objects[0]
        >>> hand.handle({"type": "place", "slot": slot, "x": 24, "y": 8})
        >>> x, y = hand.center(slot)
        >>> abs(x - 24) < 1.5, abs(y - 8) < 1.5
        (True, True)
    """

    def __init__(self, model: Any, stream: SceneStream | None = None, scenes: int = SCENES) -> None:
        """Have a model infer some scenes, fit its directions, and take the first scene.

        Args:
            model: A model of scenes in eval mode, see `take_apart`, that was trained to the end on
                whole images, not on blocks.
            stream: Where scenes come from; by default `SceneStream` of seed 0 and the
                model's image size.
            scenes: How many.

        Raises:
            ValueError: scenes is below 1, the stream's images are of another size, or the slots
                hold too few objects for a fit, see `learn_directions`.
        """
        if read_integer("scenes", scenes) < 1:
            raise ValueError(f"scenes is {scenes}; it must be at least 1")
        self.model = model
        self.im_size: int = model.config["im_size"]
        self.stream = SceneStream(seed=SEED, im_size=self.im_size) if stream is None else stream
        if self.stream.im_size != self.im_size:
            wanted = f"this model takes {self.im_size}"
            raise ValueError(f"stream has images of {self.stream.im_size} pixels; {wanted}")
        self.images = torch.cat([self.stream.batch(step, 1).images for step in range(scenes)])
        """[N, 3, H, H] in [0, 1]; scene n is the stream's batch n of one."""
        self.inferred = take_apart(model, self.images).codes
        """[N, K, z_dim] of all scenes, as the model has inferred them."""
        self.directions = learn_directions(model, self.stream)
        self.span = max(SPAN, math.ceil(np.abs(self.inferred).max()))
        """Sliders of latents run from -span to span."""
        x, _, *_ = self.stream.factors
        self.reach = (x.low, x.high)
        """Where centres may be put, in pixels, right and down alike."""
        self.index = 0
        """Of the scene in hand, among `images`."""
        self._open()

    def handle(self, event: Mapping[str, Any]) -> None:
        """Take one event.

        Args:
            event: A type from `SCENE_EVENTS` and its fields, such as
                `{"type": "place", "slot": 2, "x": 20.0, "y": 9.0}`.

        Raises:
            ValueError: It is no such event, or names what is not there. Then nothing has changed.
        """
        match read_event(event, SCENE_EVENTS):
            case OpenScene(index):
                _check_below("scene", index, len(self.images))
                self.index = index
                self._open()
            case Reset():
                self._open()
            case Choose(slot):
                self._check_slot(slot)
                self.slot = slot
            case Place(slot, x, y):
                self._check_object(slot)
                low, high = self.reach
                place = min(max(x, low), high), min(max(y, low), high)
                self._set(slot, self.directions.to_place(self.codes[slot], *place))
            case Turn(slot, degrees):
                self._check_object(slot)
                self._set(slot, self.directions.to_hue(self.codes[slot], degrees))
            case SetLatent(slot, latent, value):
                self._check_slot(slot)
                _check_below("latent", latent, self.codes.shape[1])
                code = self.codes[slot].copy()
                code[latent] = min(max(value, -self.span), self.span)
                self._set(slot, code)
            case Show(slot, value):
                self._show(slot, value)

    def state(self) -> dict[str, Any]:
        """All that events change, as plain numbers: what two cores are compared by."""
        slots = range(len(self.codes))
        return {
            "index": self.index,
            "slot": self.slot,
            "objects": list(self.objects),
            "twins": dict(self.twins),
            "ground": self.ground,
            "codes": self.codes.tolist(),
            "shown": self.shown.tolist(),
            "said": self.directions.read(self.codes).tolist(),
            "centers": [self.center(slot) for slot in slots],
            "colors": [self.color(slot) for slot in slots],
        }

    def kind(self, slot: int) -> str:
        """What a slot holds: "object", "ground" or "spare"; twins hold an object, too."""
        if slot == self.ground:
            return "ground"
        return "object" if slot in self.objects or slot in self.twins else "spare"

    def center(self, slot: int) -> tuple[float, float] | None:
        """The centre of mass of what a slot's mask has drawn, in pixels; None where that is little.

        Args:
            slot: Its number.
        """
        mask = self.masks[slot]
        if mask.sum() < 1:
            return None
        middles = np.arange(self.im_size) + 0.5
        x, y = mask.sum(0) @ middles, mask.sum(1) @ middles
        return float(x / mask.sum()), float(y / mask.sum())

    def color(self, slot: int) -> tuple[float, float, float] | None:
        """Red, green and blue in [0, 1] of what a slot has drawn; None where that is little."""
        mask = self.masks[slot]
        if mask.sum() < 1:
            return None
        mean = np.einsum("hw,chw->c", mask, self.pictures[slot]) / mask.sum()
        red, green, blue = np.clip(mean, 0, 1).tolist()
        return red, green, blue

    def hue(self, slot: int) -> float | None:
        """Degrees of a slot's `color`; None where it has none, or draws little."""
        color = self.color(slot)
        if color is None or max(color) - min(color) < GREY:
            return None
        return 360 * colorsys.rgb_to_hsv(*color)[0]

    def describe(self) -> str:
        """What is drawn, in words, without a full stop.

        Returns:
            Such as "slot 0 is the ground; slot 1 at x 12, y 20, hue 214°; slot 3 left out".
        """
        parts = [
            self._describe_slot(slot) for slot in sorted([*self.objects, *self.twins, self.ground])
        ]
        return "; ".join(parts)

    def scene(self) -> np.ndarray:
        """The scene in hand as it was given, uint8 [H, H, 3]."""
        return to_bytes(self.images[self.index])

    def png(self, scale: int = SCALE) -> bytes:
        """The scene and what is drawn side by side as a PNG, every pixel `scale` pixels wide."""
        return png(side_by_side([self.scene(), self.picture], scale))

    def gif(
        self, slot: int, place: tuple[float, float], steps: int = FILM_STEPS, scale: int = SCALE
    ) -> bytes:
        """An object that walks straight to a place and back, as an animated GIF; it stays as it is.

        Args:
            slot: The object's.
            place: In pixels.
            steps: Pictures one way.
            scale: Width of a picture's pixel in the film.

        Raises:
            ValueError: The slot holds no object, steps is below 2 or scale below 1.
        """
        self._check_object(slot)
        if steps < 2:
            raise ValueError(f"steps is {steps}; it must be at least 2")
        code = self.codes[slot]
        start = self.directions.read(code)[:2]
        there = []
        for share in np.linspace(0, 1, steps):
            x, y = start + share * (np.array(place) - start)
            self._set(slot, self.directions.to_place(code, x, y))
            there.append(side_by_side([self.picture], scale))
        self._set(slot, code)
        return gif(there + there[-2:0:-1])

    # Parts

    def _open(self) -> None:
        """Take the scene in hand as it was inferred."""
        self.codes = self.inferred[self.index].copy()
        """[K, z_dim], one for each slot."""
        self.shown = np.ones(len(self.codes), bool)
        """[K]: whether a slot is in the scene."""
        self._draw()
        won = np.bincount(self.winners.flat, minlength=len(self.codes))
        self.ground = int(won.argmax())
        """The slot that wins most pixels of the scene as inferred."""
        large = np.flatnonzero(won >= LEAST).tolist()
        slots = [slot for slot in large if slot != self.ground]
        self.twins = find_twins(self.masks, slots)
        """Of slots that are left out, since they share an object with another: which other."""
        self.objects: list[int] = [slot for slot in slots if slot not in self.twins]
        """Slots that win `LEAST` pixels or more, ground and twins apart; the others are spare."""
        self.slot = self.objects[0] if self.objects else self.ground
        """The slot that was touched last."""
        if self.twins:
            self.shown[list(self.twins)] = False
            self._draw()

    def _set(self, slot: int, code: np.ndarray) -> None:
        self.slot = slot
        self.codes = self.codes.copy()
        self.codes[slot] = code
        self._draw()

    def _show(self, slot: int, value: bool) -> None:
        self._check_slot(slot)
        shown = self.shown.copy()
        shown[slot] = value
        if not shown.any():
            raise ValueError(f"slot {slot} is the last that is shown; bring another back first")
        self.slot, self.shown = slot, shown
        self._draw()

    @torch.no_grad()
    def _draw(self) -> None:
        """Decode the slots that are shown: only they share the pixels among them."""
        kept = np.flatnonzero(self.shown)
        codes = torch.from_numpy(self.codes[kept]).float()
        layers = self.model.decoder(codes[None])
        self.picture = to_bytes(layers.image[0])
        """The blend, uint8 [H, H, 3]."""
        size = (len(self.codes), self.im_size, self.im_size)
        self.masks = np.zeros(size)
        """[K, H, H], of slots that are left out 0."""
        self.masks[kept] = layers.masks[0, :, 0].double().numpy()
        self.pictures = np.zeros((size[0], 3, *size[1:]))
        """[K, 3, H, H], unbounded."""
        self.pictures[kept] = layers.pictures[0].double().numpy()
        self.winners = kept[self.masks[kept].argmax(0)].astype(np.uint8)
        """Which slot has most of each pixel, uint8 [H, H]."""

    def _describe_slot(self, slot: int) -> str:
        center, hue = self.center(slot), self.hue(slot)
        if not self.shown[slot]:
            return f"slot {slot} left out"
        if slot == self.ground:
            return f"slot {slot} is the ground"
        if center is None:
            return f"slot {slot} not to be seen"
        colored = "" if hue is None else f", hue {hue:.0f}°"
        return f"slot {slot} at x {center[0]:.0f}, y {center[1]:.0f}{colored}"

    def _check_slot(self, slot: int) -> None:
        _check_below("slot", slot, len(self.codes))

    def _check_object(self, slot: int) -> None:
        movable = sorted([*self.objects, *self.twins])
        if read_integer("slot", slot) not in movable:
            listed = ", ".join(map(str, movable)) or "none"
            raise ValueError(f"slot is {shortened(slot)}; slots that hold an object are {listed}")


def find_twins(masks: np.ndarray, slots: list[int]) -> dict[int, int]:
    """Which slots draw what another one draws, and which other, of the larger mask.

    Args:
        masks: [K, H, H].
        slots: Those that may.
    """
    twins: dict[int, int] = {}
    kept: list[int] = []
    for slot in sorted(slots, key=lambda slot: -masks[slot].sum()):
        common = {other: np.minimum(masks[slot], masks[other]).sum() for other in kept}
        other = max(common, key=common.__getitem__, default=None)
        if other is not None and common[other] > SHARED * masks[slot].sum():
            twins[slot] = other
        else:
            kept.append(slot)
    return twins


def _check_below(name: str, value: int, count: int) -> None:
    if not 0 <= value < count:
        raise ValueError(f"{name} is {shortened(value)}; it must be one of 0 to {count - 1}")
