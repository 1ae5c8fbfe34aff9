"""Milliseconds from pointer event to painted pixels, and where they go.

    python -m tools.latency [--pages lab voila app book] [--out FILE]

On each page (JupyterLab, Voilà, the explorer alone, the book as `make book` left it), for each
model, the circle, a latent plane and a slider are dragged in a headless Chromium, one move at a
time. The clock starts at the pointer event's own time stamp and stops in the first task after the
frame that holds the new pixels. All parts are medians: `core` (decoding, mostly), `kernel` (the
rest of the work in Python), `way` (there and back), `draw` (pixels into the canvases), `frame`
(until the frame is out). JupyterLab is measured as `make lab` starts it (see
sbd_utils/explorer/server.py), and plain. Precision is the models'. On the book's pages there are
both models of circles, and the `squares` of chapter 08, whose SBD has half as many channels.
"""

import argparse
import contextlib
import csv
import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from sbd_utils import load_pretrained
from sbd_utils.evidence import processor_kind, software_kind
from sbd_utils.files import write_text
from tests.book import serve
from tests.browser import (
    MODELS,
    PATIENCE,
    ROOT,
    browser,
    explorer,
    go_to,
    open_page,
    server,
    write_notebook,
)

LISTEN = """(root) => {
    window.samples = [];
    root.addEventListener("answered", ({ detail }) => {
        if (detail.type !== "view") return;  // a row of the field
        const drawn = performance.now();
        requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => {
                const { stamp, arrived, kernel, core } = detail;
                const done = performance.now();
                const way = arrived - stamp - kernel;
                const parts = [core, kernel - core, way, drawn - arrived, done - drawn];
                window.samples.push([done - stamp, ...parts]);
            };
            channel.port2.postMessage(0);
        });
    });
}"""
WAIT = """([count, patience]) => new Promise((done, fail) => {
    const end = performance.now() + patience;
    const look = () => {
        const answered = window.samples.length;
        const late = `only ${answered} of ${count} events answered`;
        if (answered >= count) done();
        else if (performance.now() > end) fail(new Error(late));
        else setTimeout(look, 10);
    };
    look();
})"""
PIXELS = """(canvas) => {
    const { width, height } = canvas;
    return Array.from(canvas.getContext("2d").getImageData(0, 0, width, height).data);
}"""
PAGES = (("lab", True), ("lab", False), ("voila", True), ("app", True), ("book", True))
"""Kinds of pages, and whether their server is prompt; the book's core is in the page itself."""
SHOWN = {"app": ["both"], "book": ["both", "squares"]}
"""What those pages show, which show no model alone."""
BOOK = {"both": "", "squares": "notebooks/08_other_worlds.html"}
"""Where in the book that is."""
CONTROLS = ("circle", "plane", "slider")
TURN = 100
"""Moves in which a hand goes around."""
REACH = 0.23
"""How far it goes from the middle, in widths of what it moves."""
PARTS = ("median", "core", "kernel", "way", "draw", "frame")


def main() -> None:
    """Measure every page and model, print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", help="also write the table to this .csv file")
    parser.add_argument(
        "--events", type=int, default=150, help="moves measured for each page and model"
    )
    kinds = sorted({kind for kind, _ in PAGES})
    parser.add_argument("--pages", nargs="+", choices=kinds, default=kinds, help="which ones")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        shown = {**{label: [label] for label in MODELS}, "both": list(MODELS)}
        for label, names in shown.items():
            write_notebook(Path(folder) / "notebooks" / f"{label}.ipynb", names)
        for kind, prompt in PAGES:
            if kind not in options.pages:
                continue
            with serve_page(kind, Path(folder), prompt) as address:
                for label in SHOWN.get(kind, list(shown)):
                    page = open_page(chromium)
                    if kind == "book":
                        page.goto(address + BOOK[label])
                        page.get_by_role("button", name="Open the explorer").click()
                    else:
                        go_to(page, kind, address, f"{label}.ipynb")
                    about = dict(page=kind, prompt_server=prompt, model=label)
                    rows += measure_page(page, about, options.events)
    if options.out:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(options.out, text.getvalue())


def serve_page(kind: str, folder: Path, prompt: bool) -> contextlib.AbstractContextManager[str]:
    """A server of such a page, its address; raises FileNotFoundError if the book is not built."""
    if kind != "book":
        return server(kind, folder / "notebooks", folder / "log", prompt)
    site = ROOT / "build" / "book" / "html"
    if not site.is_dir():
        raise FileNotFoundError(f"there is no book in {site}; `make book` builds it")
    return serve(site)


def measure_page(page, about: dict, events: int) -> list[dict]:
    """A row for each control of the explorer on this page; prints them; closes the page."""
    root = explorer(page, "deconv" if about["model"] == "deconv" else "SBD")
    root.evaluate(LISTEN)
    rows = []
    for control in CONTROLS:
        row = {**about, "control": control, **measure(page, root, control, events)}
        rows.append({**row, **machine()})
        print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    page.context.close()
    return rows


def machine() -> dict:
    """What the numbers hold for: precision of the models, processor, software."""
    dtypes = {next(load_pretrained(name).parameters()).dtype for name in MODELS.values()}
    precision = " ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))
    return dict(precision=precision, processor=processor_kind(), software=software_kind())


def around(turns: float) -> np.ndarray:
    """Where a hand is that goes around."""
    angle = 2 * np.pi * turns
    return REACH * np.array([np.cos(angle), np.sin(angle)])


def to_and_fro(turns: float) -> np.ndarray:
    """Where a hand is that goes to and fro, equally fast everywhere: a slider hears every move."""
    share = abs((turns + 0.5) % 1 - 0.5)  # 0 … 1/2
    return np.array([REACH * (1 - 4 * share), 0])


def measure(page, root, control: str, events: int, warm_up: int = 20) -> dict:
    """Medians of `events` moves of a control, in milliseconds."""
    node = {
        "circle": root.locator("canvas.pad").nth(0),
        "plane": root.locator("canvas.pad").nth(1),
        "slider": root.locator(".latent input[type=range]").first,
    }[control]
    picture = root.locator("canvas.picture").first
    before = picture.evaluate(PIXELS)
    node.scroll_into_view_if_needed()
    node.hover()  # waits until it has come to rest
    if control == "slider":
        node.press("Home")  # or the hand may take it where it is, and move nothing
        root.and_(page.locator("[data-waiting='0']")).wait_for()
    box = node.bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.evaluate("window.samples = []")
    way = to_and_fro if control == "slider" else around
    page.mouse.move(*(middle + box["width"] * way(0)))
    page.mouse.down()
    for i in range(events + warm_up):
        page.evaluate(WAIT, [i + 1, 1000 * PATIENCE])
        page.mouse.move(*(middle + box["width"] * way((i + 1) / TURN)))
    page.evaluate(WAIT, [events + warm_up + 1, 1000 * PATIENCE])
    page.mouse.up()
    assert picture.evaluate(PIXELS) != before
    samples = np.array(page.evaluate("window.samples"))[-events:]  # [events, 6]
    middle_values = dict(zip(PARTS, np.median(samples, 0).round(1).tolist(), strict=True))
    p95 = round(float(np.percentile(samples[:, 0], 95)), 1)
    row = dict(median=middle_values.pop("median"), p95=p95, **middle_values)
    load, date = round(os.getloadavg()[0], 1), time.strftime("%Y-%m-%d")
    return dict(**row, events=events, load=load, date=date)


if __name__ == "__main__":
    main()
