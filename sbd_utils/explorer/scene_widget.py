"""A scene on a page of Jupyter: objects are dragged, recoloured and removed by their slots."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from torch import Tensor

from sbd_utils.explorer.events import read_integer, read_number, shortened
from sbd_utils.explorer.page import join_modules, page_style
from sbd_utils.explorer.pictures import to_bytes
from sbd_utils.explorer.scene import Directions, SceneInHand
from sbd_utils.files import read_text

FOLDER = Path(__file__).parent
MODULES = ("pads.js", "scene.js")
"""What the page is made of; see `join_modules`."""
TOUCHES: dict[str, dict[str, Callable[[str, Any], Any]]] = {
    "hello": {},
    "take": {"x": read_number, "y": read_number},
    "drag": {"x": read_number, "y": read_number},
    "move": {"x": read_number, "y": read_number},
    "next": {"step": read_integer},
    "hue": {"hue": read_number},
    "remove": {},
    "reset": {},
}
"""What a page may send, with its fields and how each is read."""


class SceneEditor(anywidget.AnyWidget):
    """Take an object of a scene by its slot; the model draws the scene anew. `.core` is behind it.

    Example:
        `SceneEditor(load_pretrained("slots_scenes"), scenes.images[0])`
    """

    _esm = join_modules({name: read_text(FOLDER / name) for name in MODULES})
    _css = page_style() + read_text(FOLDER / "scene.css")
    size = traitlets.Int().tag(sync=True)
    """Height and width of the scene in pixels."""

    def __init__(self, model: Any, image: Tensor, directions: Directions | None = None) -> None:
        """Infer the slots of a scene, and make the page.

        Args:
            model: See `SceneInHand`.
            image: Likewise.
            directions: Likewise.
        """
        self.core = SceneInHand(model, image, directions)
        super().__init__(size=self.core.size)

    def __repr__(self) -> str:
        """How many things there are."""
        return f"SceneEditor({len(self.core.things())} things)"

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        """Answer what comes.

        Args:
            msg: A message of the comm.
        """
        data = msg["content"]["data"]
        method = data.get("method") if isinstance(data, Mapping) else None
        if method == "request_state":
            self.send_state()
        else:
            self.send(*answer(self.core, data.get("content") if method == "custom" else data))


def answer(core: SceneInHand, touch: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Do what a hand did, and say what is seen now; what is wrong changes nothing.

    Args:
        core: The scene.
        touch: A "type" of `TOUCHES` and its fields.

    Returns:
        What JSON can hold, and the picture's RGB bytes.
    """
    try:
        _do(core, touch)
    except ValueError as error:
        return {"type": "error", "text": str(error)}, []
    held = core.held
    view = {
        "type": "view",
        "held": held,
        "place": None if held is None else core.place(held),
        "hue": None if held is None else core.hue(held),
        "things": core.things(),
        "text": core.status(),
    }
    return view, [to_bytes(core.picture()).tobytes()]


def _do(core: SceneInHand, touch: Any) -> None:
    if not isinstance(touch, Mapping) or touch.get("type") not in list(TOUCHES):
        raise ValueError(f"a touch is {shortened(touch)}; its type must be of {', '.join(TOUCHES)}")
    readers = TOUCHES[touch["type"]]
    if touch.keys() - {"type"} != readers.keys():
        wanted = ", ".join(readers) or "nothing more"
        raise ValueError(f"a touch is {shortened(touch)}; {touch['type']} takes {wanted}")
    fields = {name: read(name, touch[name]) for name, read in readers.items()}
    match touch["type"]:
        case "take":
            core.take(**fields)
        case "drag":
            core.drag(**fields)
        case "move":
            core.move(**fields)
        case "next":
            core.take_next(**fields)
        case "hue":
            core.recolor(**fields)
        case "remove":
            core.remove()
        case "reset":
            core.reset()
