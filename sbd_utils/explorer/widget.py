"""The explorers on a page of Jupyter: in JupyterLab or Voilà.

What is touched there goes to the core, and the core's answer to the canvas; see `messages`.
"""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from sbd_utils.data import FactorStream, SceneStream
from sbd_utils.explorer.core import Explorer
from sbd_utils.explorer.events import Name, shortened
from sbd_utils.explorer.messages import Conversation, Talk, page_spec
from sbd_utils.explorer.page import SCENE_MODULES, page_script, page_style
from sbd_utils.explorer.scene import SCENES, SceneInHand
from sbd_utils.explorer.scene_messages import SceneConversation, scene_spec
from sbd_utils.models import VAE


class Page(anywidget.AnyWidget):
    """A page that a core answers: a touch is one message to it, and one comes back."""

    spec = traitlets.Dict().tag(sync=True)
    """What a page must know before the first answer."""

    def __init__(self, conversation: Talk, spec: dict[str, Any]) -> None:
        """Make the page.

        Args:
            conversation: Answers what comes from it.
            spec: What it must know before the first answer.
        """
        self.conversation = conversation
        super().__init__(spec=spec)

    def _handle_msg(self, msg: dict[str, Any]) -> None:
        """Answer whatever comes; ipywidgets would log what it does not know, and let traits be set.

        Args:
            msg: A message of the comm.
        """
        data = msg["content"]["data"]
        method = data.get("method") if isinstance(data, Mapping) else None
        if method == "request_state":
            self.send_state()
        elif method == "custom":
            self.conversation.respond(data.get("content"), self.send)
        else:
            wanted = "it must be 'custom' or 'request_state'"
            text = f"method is {shortened(method)}; {wanted}"
            self.send({"type": "error", "text": text}, [])


class LatentExplorer(Page):
    """Take hold of a latent code, and the picture follows.

    Everything on the page is one widget: a touch is one message to the kernel, and one comes back
    with the pictures. `.core` is the `Explorer` behind it.
    """

    _esm = page_script()
    _css = page_style()

    def __init__(
        self,
        models: VAE | Mapping[Name, VAE],
        seed: int = 0,
        data: FactorStream | str | None = None,
    ) -> None:
        """Make the explorer and its page.

        Args:
            models: A `VAE`, or several by name, `{"SBD": sbd, "deconv": deconv}`; see `Explorer`.
            seed: Of what is sampled.
            data: Where images come from: a data set, or its name; by default circles.

        Raises:
            ValueError: models cannot be explored, or not with these data.
        """
        self.core = Explorer(models, seed, data)
        super().__init__(Conversation(self.core), page_spec(self.core))

    def __repr__(self) -> str:
        """The models' names."""
        return f"LatentExplorer({', '.join(map(str, self.core.sides))})"


class SceneExplorer(Page):
    """Take an object out of a scene by its slot: move it, change its colour, leave it out.

    `.core` is the `SceneInHand` behind it.
    """

    _esm = page_script(SCENE_MODULES)
    _css = page_style()

    def __init__(self, model: Any, stream: SceneStream | None = None, scenes: int = SCENES) -> None:
        """Make the explorer and its page.

        Args:
            model: A model of scenes, `load_pretrained("slots_scenes")`; see `SceneInHand`.
            stream: Where scenes come from; see `SceneInHand`.
            scenes: How many.

        Raises:
            ValueError: The model cannot be explored, or not with these scenes.
        """
        self.core = SceneInHand(model, stream, scenes)
        super().__init__(SceneConversation(self.core), scene_spec(self.core))

    def __repr__(self) -> str:
        """How many scenes, of how many slots."""
        scenes, slots, _ = self.core.inferred.shape
        return f"SceneExplorer({scenes} scenes, {slots} slots)"
