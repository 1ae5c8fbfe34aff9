"""Firefox as it is, driven over WebDriver BiDi: Playwright drives only builds of its own."""

import contextlib
import itertools
import json
import os
import re
import subprocess
import tempfile
import time

from websockets.sync.client import connect

from tests.browser import PATIENCE, browser_path

LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
KEYS = {"ArrowRight": "\ue014", "ArrowDown": "\ue015"}


@contextlib.contextmanager
def firefox():
    """A page of a headless Firefox, with a profile of its own."""
    path = browser_path("firefox")
    with tempfile.TemporaryDirectory() as profile, open(f"{profile}/log", "w+") as log:
        command = [path, "--headless", "--no-remote", "--profile", profile]
        process = subprocess.Popen(
            [*command, "--remote-debugging-port=0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"HOME": profile},
        )
        try:
            address = _wait_for_address(process, log)
            with connect(f"{address}/session", max_size=None, open_timeout=PATIENCE) as line:
                yield Page(line)
        finally:
            process.kill()
            process.wait()


def _wait_for_address(process: subprocess.Popen, log) -> str:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        log.seek(0)
        found = LISTENS.search(log.read())
        if found:
            return found[1]
        time.sleep(0.1)
    log.seek(0)
    raise RuntimeError(f"Firefox does not answer:\n{log.read()[-3000:]}")


class Page:
    """One page; what its console calls an error is in `errors`."""

    def __init__(self, line):
        self.line = line
        self.numbers = itertools.count(1)
        self.errors: list[str] = []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        (tree,) = self.ask("browsingContext.getTree")["contexts"]
        self.context = tree["context"]

    def ask(self, method: str, **params) -> dict:
        """Send a command, and wait for its result."""
        number = next(self.numbers)
        self.line.send(json.dumps(dict(id=number, method=method, params=params)))
        while True:
            message = json.loads(self.line.recv(timeout=PATIENCE))
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])
            if message.get("id") != number:
                continue
            if message["type"] == "error":
                raise RuntimeError(f"{method}: {message['error']}: {message['message']}")
            return message["result"]

    def go_to(self, address: str) -> None:
        """Open an address."""
        self.ask("browsingContext.navigate", context=self.context, url=address, wait="interactive")

    def resize(self, width: int, height: int) -> None:
        """Give the page this size, in CSS pixels."""
        size = dict(width=width, height=height)
        self.ask("browsingContext.setViewport", context=self.context, viewport=size)

    def evaluate(self, expression: str):
        """The value of an expression in JavaScript; promises are waited for."""
        answer = self.ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify(await ({expression})))()",
            target={"context": self.context},
            awaitPromise=True,
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def wait_for(self, expression: str) -> None:
        """Return once an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.05)

    def drag(self, points) -> None:
        """Press the mouse at the first point, move to the others, let go; in CSS pixels."""
        first, *others = [dict(type="pointerMove", x=round(x), y=round(y)) for x, y in points]
        button = {"button": 0}
        moves = [{**move, "duration": 20} for move in others]
        actions = [
            first,
            {"type": "pointerDown", **button},
            *moves,
            {"type": "pointerUp", **button},
        ]
        self._perform(dict(type="pointer", id="mouse", actions=actions))

    def press(self, key: str, times: int = 1) -> None:
        """Press a key."""
        stroke = [dict(type=kind, value=KEYS[key]) for kind in ("keyDown", "keyUp")]
        self._perform(dict(type="key", id="keyboard", actions=times * stroke))

    def _perform(self, source: dict) -> None:
        self.ask("input.performActions", context=self.context, actions=[source])
