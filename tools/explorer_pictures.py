"""The pictures of the explorer in notebook 06, for those who read it on a page.

    python -m tools.explorer_pictures

Writes notebooks/pictures/explorer.png, the whole explorer, and explorer.gif: the circle walks
straight on, then the codes do. Both are what a headless Chromium shows, with the course's weights.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from sbd_utils import LatentExplorer, load_pretrained
from sbd_utils.explorer.pictures import gif
from sbd_utils.files import write_atomically
from tests.browser import MODELS, ROOT, browser
from tests.browser.bare import SETTLED, Stage

FOLDER = ROOT / "notebooks" / "pictures"
WINDOW = {"width": 1300, "height": 900}
"""As wide as puts both models in one row."""
STEPS = 16
"""Pictures of each walk."""
WIDTH = 840
"""Of the film, in pixels."""
SAID = 2_000
"""Milliseconds after which what is to be seen stands in words, too."""
MARGIN = 12
"""To the right of the pictures, in pixels of the page …"""
LINE = 24
"""… and below them, where the lengths of the trails stand."""
COLORS = 64
"""Of the film."""
DURATION = 110
"""Of a picture of the film, in milliseconds."""
SMALL_FILE = 1_000_000
"""Bytes that the film must stay below."""


def main() -> None:
    """Write both files."""
    with browser() as chromium:
        stage = Stage(chromium, stopped=False)
        models = {label: load_pretrained(name) for label, name in MODELS.items()}
        page = stage.show(LatentExplorer(models))
        page.set_viewport_size(WINDOW)
        page.wait_for_function(SETTLED)
        circle_walks = list(drag(page))
        page.wait_for_timeout(SAID)
        picture = page.locator(".sbd-explorer").screenshot()
        frames = [shrink(frame) for frame in [*circle_walks, *walk(page)]]
        film_bytes = gif(frames, DURATION)
        if len(film_bytes) >= SMALL_FILE:
            raise ValueError(
                f"the film has {len(film_bytes)} bytes; it must stay below {SMALL_FILE}"
            )
    FOLDER.mkdir(exist_ok=True)
    for name, content in {"explorer.png": picture, "explorer.gif": film_bytes}.items():
        print(f"wrote {write_atomically(Path(FOLDER / name), content)}, {len(content)} bytes")


def drag(page) -> Iterator[bytes]:
    """PNGs of the planes and pictures while the circle walks from left to right."""
    pad = page.get_by_role("application", name="Image plane")
    box = pad.bounding_box()
    ends = np.linspace([0.2, 0.5], [0.8, 0.5], STEPS)
    for number, (right, down) in enumerate(ends):
        page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
        if number == 0:
            page.mouse.down()
            page.mouse.up()
            page.wait_for_function(SETTLED)
            page.get_by_role("button", name="Clear trail").click()
            page.mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"])
            page.mouse.down()
        page.wait_for_function(SETTLED)
        yield screenshot(page)
    page.mouse.up()
    page.wait_for_function(SETTLED)


def walk(page) -> Iterator[bytes]:
    """PNGs while the codes walk straight from where the circle began to where it is."""
    for share in np.linspace(0, 1, STEPS):
        page.evaluate("(share) => model.send({ type: 'walk', share })", float(share))
        page.wait_for_function("() => model.answering === 0")
        yield screenshot(page)


def screenshot(page) -> bytes:
    """A PNG of the row of planes and pictures."""
    pads = [canvas.bounding_box() for canvas in page.locator("figure canvas").all()]
    right = max(box["x"] + box["width"] for box in pads) + MARGIN
    bottom = max(box["y"] + box["height"] for box in pads) + LINE
    return page.screenshot(clip={"x": 0, "y": 0, "width": right, "height": bottom})


def shrink(png: bytes) -> Image.Image:
    """A picture of the film."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    height = round(image.height * WIDTH / image.width)
    small = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Few pixels are coloured, and those are what it is about: the default method would grey them.
    return small.quantize(COLORS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
