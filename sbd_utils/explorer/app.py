"""The explorer alone, on a page of its own, for one person on this computer.

    python -m sbd_utils.explorer.app [--port 8866] [--no-browser]
        [--model LABEL=NAME ...] [--dataset NAME] [--data FILE]

The server listens at once, and tells the page how far it is while PyTorch and the weights are
still loading. Then the page is answered as in Jupyter, by a `Conversation`, but without a kernel.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import sys
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tornado import httpserver, netutil, web, websocket

from sbd_utils.explorer.page import FOLDER, page_script, page_style
from sbd_utils.files import read_text

MODELS = {"SBD": "vae_circles_bw", "deconv": "vae_deconv_circles_bw"}
"""What is shown: names, and files of weights."""
HOST = "127.0.0.1"
"""Nobody else can reach it."""
PORT = 8866


class Shown(NamedTuple):
    """What the page shows."""

    models: Mapping[str, str] = MODELS
    """By label, names of pretrained models or files of weights."""
    dataset: str = "circles"
    """A key of `STREAMS`."""
    data: str | None = None
    """The data set's file, if it is read from one."""


class App:
    """What all pages share: how far loading is, then the conversation."""

    def __init__(self, shown: "Shown | None" = None) -> None:
        """Begin with nothing loaded.

        Args:
            shown: What will be; by default the course's two models of the circles.
        """
        self.shown = shown or Shown()
        self.pages: set[Page] = set()
        self.state: dict[str, Any] = {"type": "progress", "text": "Starting"}
        """What a new page is told: progress, or a specification of the page."""
        self.conversation: Any = None
        """A `Conversation`, once all is loaded."""

    def tell(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        """Send every page a message."""
        packed = pack(content, buffers)
        for page in list(self.pages):
            with contextlib.suppress(websocket.WebSocketClosedError):  # its reader has gone
                page.write_message(packed, binary=True)

    def say(self, text: str) -> None:
        """Say how far loading is."""
        self.state = {"type": "progress", "text": text}
        self.tell(self.state, [])

    async def load(self) -> None:
        """Load the models beside the server, and then begin the conversation."""
        loop = asyncio.get_running_loop()
        say = lambda text: loop.call_soon_threadsafe(self.say, text)  # noqa: E731
        try:
            made = await loop.run_in_executor(None, load_models, say, self.shown)
            self.conversation, spec = made
        except Exception as error:
            self.say(f"The models cannot be loaded: {error}")
            raise
        self.state = {"type": "spec", "spec": spec}
        self.tell(self.state, [])


def load_models(say: Callable[[str], object], shown: Shown) -> tuple[Any, dict[str, Any]]:
    """A conversation about models, and what its page must know.

    Args:
        say: Is told how far it is.
        shown: The models, and the data that they are shown.
    """
    say("Importing PyTorch …")
    from sbd_utils.checkpoint import load_weights
    from sbd_utils.data import make_stream
    from sbd_utils.explorer.core import Explorer
    from sbd_utils.explorer.messages import Conversation, page_spec
    from sbd_utils.models import VAE
    from sbd_utils.pretrained import load_pretrained

    models: dict[str | int, VAE] = {}
    for label, name in shown.models.items():
        say(f"Loading the weights of {label} …")
        models[label] = load_weights(name) if Path(name).is_file() else load_pretrained(name)
    say("Encoding the grid …")
    im_size = next(iter(models.values())).config["im_size"]
    core = Explorer(models, data=make_stream(shown.dataset, im_size=im_size, path=shown.data))
    return Conversation(core), page_spec(core)


def pack(content: dict[str, Any], buffers: list[bytes]) -> bytes:
    """One message: a line of JSON with the buffers' "sizes", then the buffers."""
    sizes = [len(buffer) for buffer in buffers]
    head = json.dumps({**content, "sizes": sizes}, allow_nan=False)
    return b"".join([head.encode(), b"\n", *buffers])


class Page(websocket.WebSocketHandler):
    """The line to one page."""

    def initialize(self, app: App) -> None:
        """Take what all pages share."""
        self.app = app

    def open(self, *_: str, **__: str) -> None:
        """Say where it stands."""
        self.set_nodelay(True)
        self.app.pages.add(self)
        self.write_message(pack(self.app.state, []), binary=True)

    def on_message(self, text: str | bytes) -> None:
        """Answer a message, once there is somebody to answer it; the page asks again."""
        if self.app.conversation is None:
            return
        try:
            message = json.loads(text)
        except ValueError:
            message = text
        self.app.conversation.respond(message, self.app.tell)

    def on_close(self) -> None:
        """Forget the page."""
        self.app.pages.discard(self)


class Text(web.RequestHandler):
    """A part of the page."""

    def initialize(self, kind: str, read: Callable[[], str]) -> None:
        """Take the text's kind, such as "css", and what reads it."""
        self.kind, self.read = kind, read

    def get(self) -> None:
        """Hand it out, never from the browser's store: the course may have been updated."""
        self.set_header("Content-Type", f"text/{self.kind}; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.write(self.read())


def make_server(app: App) -> httpserver.HTTPServer:
    """A server of the page and of the lines to it."""
    html = dict(kind="html", read=lambda: read_text(FOLDER / "app.html"))
    start = dict(kind="javascript", read=lambda: read_text(FOLDER / "app.js"))
    routes: list[Any] = [
        ("/", Text, html),
        ("/app.js", Text, start),
        ("/explorer.js", Text, dict(kind="javascript", read=page_script)),
        ("/explorer.css", Text, dict(kind="css", read=page_style)),
        ("/line", Page, dict(app=app)),
    ]
    return httpserver.HTTPServer(web.Application(routes))


def listen(port: int) -> list[socket.socket]:
    """Sockets at the port, or at a free one if another program has it."""
    try:
        return netutil.bind_sockets(port, HOST)
    except OSError as error:
        print(f"Port {port} cannot be had ({error}); another one is taken", file=sys.stderr)
        return netutil.bind_sockets(0, HOST)


async def serve(port: int, with_browser: bool, shown: Shown) -> None:
    """Serve until the process is ended."""
    app = App(shown)
    sockets = listen(port)
    make_server(app).add_sockets(sockets)
    address = f"http://{HOST}:{sockets[0].getsockname()[1]}/"
    print(f"The explorer is at {address} (Ctrl-C ends it)", flush=True)
    if with_browser:
        asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)
    await app.load()
    await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"where to listen (default {PORT})")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    weights = "a model: pretrained, or a file of weights; by default the course's two"
    parser.add_argument("--model", action="append", metavar="LABEL=NAME", type=pair, help=weights)
    parser.add_argument("--dataset", default="circles", help="what is shown to them")
    parser.add_argument("--data", metavar="FILE", help="the file of a data set that has one")
    options = parser.parse_args()
    models = dict(options.model) if options.model else MODELS
    shown = Shown(models, options.dataset, options.data)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, not options.no_browser, shown))


def pair(text: str) -> tuple[str, str]:
    """LABEL=NAME in its two parts."""
    label, _, name = text.partition("=")
    if not label or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not LABEL=NAME")
    return label, name


if __name__ == "__main__":
    main()
