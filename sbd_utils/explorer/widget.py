"""The latent explorer on a page of Jupyter: in JupyterLab or Voilà.

What is touched there goes to the core, and the core's answer to the canvas; see `messages`.
"""

from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from sbd_utils.data import FactorStream
from sbd_utils.explorer.core import Explorer
from sbd_utils.explorer.events import Name, shortened
from sbd_utils.explorer.messages import Conversation, page_spec
from sbd_utils.explorer.page import page_script, page_style
from sbd_utils.models import VAE


class LatentExplorer(anywidget.AnyWidget):
    """Take hold of a latent code, and the picture follows.

    Everything on the page is one widget: a touch is one message to the kernel, and one comes back
    with the pictures. `.core` is the `Explorer` behind it.
    """

    _esm = page_script()
    _css = page_style()
    spec = traitlets.Dict().tag(sync=True)
    """What a page must know before the first answer."""

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
        self.conversation = Conversation(self.core)
        super().__init__(spec=page_spec(self.core))

    def __repr__(self) -> str:
        """The models' names."""
        return f"LatentExplorer({', '.join(map(str, self.core.sides))})"

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
