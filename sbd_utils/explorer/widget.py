"""The latent explorer on a page, in JupyterLab or Voilà: what is touched goes to the core, its answer to the canvas."""

import time
from pathlib import Path

import anywidget
import traitlets

from sbd_utils.explorer.core import Explorer, Side, ranked
from sbd_utils.models import VAE

FOLDER = Path(__file__).parent


class LatentExplorer(anywidget.AnyWidget):
    """Take hold of a latent code, and the picture follows.

    models: a `VAE`, or several by name, `{"SBD": sbd, "deconv": deconv}`; see `Explorer`, which is `.core`.
    Everything on the page is one widget: a touch is one message to the kernel, and one comes back with the pictures.
    """

    _esm = (FOLDER / "page.js").read_text(encoding="utf-8")
    _css = (FOLDER / "page.css").read_text(encoding="utf-8")
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, models: VAE | dict[str, VAE], seed: int = 0):
        self.core = Explorer(models, seed)
        sides = [
            dict(name=name, latents=ranked(side), channels=side.model.config["in_channels"])
            for name, side in self.core.sides.items()
        ]
        spec = dict(sides=sides, im_size=self.core.im_size, span=self.core.span)
        super().__init__(spec={**spec, "grid": self.core.true_grid.tolist()})
        self.core_seconds = 0.0  # of the last event
        self.accepted: list[dict] | None = (
            None  # a list here collects the events that were accepted
        )
        self.on_msg(self._receive)

    def __repr__(self) -> str:
        return f"LatentExplorer({', '.join(self.core.sides)})"

    def _receive(self, _, event: dict, buffers) -> None:
        """Answer every message, a bad one with what is wrong: the page sends nothing before it has the answer."""
        start, answer, pictures = time.perf_counter(), {}, []
        stamp = event.pop("stamp", None)
        try:
            answer, pictures = self._answer(event)
        except Exception as error:
            answer = dict(type="error", text=f"{type(error).__name__}: {error}")
            raise
        finally:
            # For those who measure: when the event happened, and the milliseconds spent here and in the core.
            times = dict(
                stamp=stamp,
                kernel=1000 * (time.perf_counter() - start),
                core=1000 * self.core_seconds,
            )
            self.send({**answer, **times}, pictures)

    def _answer(self, event: dict) -> tuple[dict, list[bytes]]:
        kind = event.get("type")
        if kind == "code":
            return dict(type="code", text=self.core.code()), []
        if kind == "png":
            return dict(type="file", name="latent.png", mime="image/png"), [self.core.png()]
        if kind == "gif":
            name = f"latent-{event['latent']}.gif"
            return dict(type="file", name=name, mime="image/gif"), [
                self.core.gif(event["model"], event["latent"])
            ]
        if kind != "hello":  # a new page: it only wants to see
            start = time.perf_counter()
            self.core.handle(event)
            self.core_seconds = time.perf_counter() - start
            if self.accepted is not None:
                self.accepted.append(event)
        whole = kind in ("hello", "axes", "reset")  # the grid changes with the axes alone
        sides = [self._show(name, side, whole) for name, side in self.core.sides.items()]
        view = dict(
            circle=self.core.circle, encoded=self.core.encoded, linked=self.core.linked, sides=sides
        )
        view["path"] = [[round(v, 1) for v in point] for point in self.core.path]
        pictures = [side.picture.tobytes() for side in self.core.sides.values()]
        true = (self.core.image()[0] * 255).round().byte().numpy()
        return dict(type="view", **view), [true.tobytes(), *pictures]

    def _show(self, name: str, side: Side, whole: bool) -> dict:
        axes = list(side.axes)
        shown = dict(
            axes=axes,
            z=[round(v, 4) for v in side.z.tolist()],
            mean=side.mean[axes].tolist(),
            std=side.std[axes].tolist(),
            trail=[[round(v, 3) for v in z[axes].tolist()] for z in side.trail],
            text=self.core.describe(name),
        )
        return shown | ({"grid": side.grid[:, :, axes].tolist()} if whole else {})
