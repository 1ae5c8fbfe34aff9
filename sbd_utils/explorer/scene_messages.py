"""What the page of a scene in hand is told; see `messages` for how."""

import math
from typing import Any

from sbd_utils.explorer.messages import Answer, Talk
from sbd_utils.explorer.scene import SceneInHand


class SceneConversation(Talk):
    """A scene in hand, and what has been said about it with its pages."""

    core: SceneInHand

    def view(self, message: dict[str, Any]) -> Answer:
        """What is to be seen now: every slot, the scene, the drawing, and who wins its pixels.

        Args:
            message: Of any type.
        """
        core = self.core
        slots = [_slot_view(core, slot) for slot in range(len(core.codes))]
        view = {"type": "view", "scene": core.index, "slot": core.slot, "slots": slots}
        pictures = core.scene(), core.picture, core.winners
        return Answer(view, [each.tobytes() for each in pictures])


def scene_spec(core: SceneInHand) -> dict[str, Any]:
    """What a page must know before the first answer."""
    scenes, slots, latents = core.inferred.shape
    return {
        "im_size": core.im_size,
        "scenes": scenes,
        "slots": slots,
        "latents": latents,
        "span": core.span,
        "reach": core.reach,
    }


def _slot_view(core: SceneInHand, slot: int) -> dict[str, Any]:
    """What the page shows of a slot."""
    x, y, cosine, sine = core.directions.read(core.codes[slot])
    return {
        "kind": core.kind(slot),
        "twin": core.twins.get(slot),
        "shown": bool(core.shown[slot]),
        "code": core.codes[slot].round(4).tolist(),
        "place": [round(float(x), 2), round(float(y), 2)],
        "turn": round(math.degrees(math.atan2(sine, cosine)) % 360, 1),
        "center": core.center(slot),
        "color": core.color(slot),
        "hue": core.hue(slot),
    }
