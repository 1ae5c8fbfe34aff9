"""Milliseconds from pointer event to painted pixels, and where they go.

    python -m tools.latency [--out FILE]

For each page (JupyterLab, Voilà) and model, a latent pad is dragged in a headless Chromium, one
move at a time. The clock starts at the pointer event's own time stamp and stops in the first task
after the frame that holds the new pixels. All parts are medians: `core` (decoding, mostly),
`kernel` (the rest of the work in Python), `way` (there and back), `draw` (pixels into the
canvases), `frame` (until the frame is out). Each is measured with the server of `make lab` and
`make explore` (see sbd_utils/explorer/server.py), and with a plain one.
"""

import argparse
import csv
import io
import itertools
import os
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np

from sbd_utils.evidence import machine_kind
from sbd_utils.files import write_atomically
from tests.browser import PATIENCE, browser, explorer, open_page, run_in_lab, server

MODELS = {"SBD": "vae_circles_bw", "deconv": "vae_deconv_circles_bw"}
CELL = """from sbd_utils import LatentExplorer, load_pretrained
names = {names}
LatentExplorer({{label: load_pretrained(name) for label, name in names.items()}})"""
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
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        shown = {**{label: [label] for label in MODELS}, "both": list(MODELS)}
        for label, names in shown.items():
            write_notebook(Path(folder) / "notebooks" / f"{label}.ipynb", names)
        for kind, prompt in itertools.product(("lab", "voila"), (True, False)):
            with server(kind, Path(folder) / "notebooks", Path(folder) / "log", prompt) as address:
                for label in shown:
                    measured = measure(chromium, kind, address, label, options.events)
                    rows.append(dict(page=kind, prompt_server=prompt, model=label, **measured))
                    print(
                        ", ".join(
                            f"{key} {value}" for key, value in rows[-1].items() if key != "machine"
                        ),
                        flush=True,
                    )
    if options.out:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(options.out, text.getvalue().encode())


def write_notebook(path: Path, labels: list[str]) -> None:
    """Write a notebook that opens the explorer with the models of these labels."""
    names = {label: MODELS[label] for label in labels}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(names=names))])
    notebook.metadata.kernelspec = dict(
        name="python3", display_name="Python 3 (ipykernel)", language="python"
    )
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


def measure(chromium, kind: str, address: str, label: str, events: int, warm_up: int = 20) -> dict:
    """Medians of `events` moves, in milliseconds, and what else belongs in a row."""
    page = open_page(chromium)
    if kind == "lab":
        run_in_lab(page, address, f"{label}.ipynb")
    else:
        page.goto(f"{address}/voila/render/{label}.ipynb")
    root = explorer(page, "deconv" if label == "deconv" else "SBD")
    root.evaluate(LISTEN)
    picture = root.locator("canvas.picture").first
    before = picture.evaluate(PIXELS)
    pad = root.locator("canvas.pad").nth(1)
    pad.hover(position={"x": 188, "y": 128})  # waits until the pad has come to rest
    box = pad.bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    page.mouse.down()
    for i in range(events + warm_up):  # around a circle of radius 60 CSS pixels, 100 moves a turn
        page.evaluate(WAIT, [i + 1, 1000 * PATIENCE])
        turn = 2 * np.pi * (i + 1) / 100
        page.mouse.move(*(middle + 60 * np.array([np.cos(turn), np.sin(turn)])))
    page.evaluate(WAIT, [events + warm_up + 1, 1000 * PATIENCE])
    assert picture.evaluate(PIXELS) != before
    samples = np.array(page.evaluate("window.samples"))[-events:]  # [events, 6]
    page.context.close()
    middle_values = dict(zip(PARTS, np.median(samples, 0).round(1).tolist(), strict=True))
    p95 = round(float(np.percentile(samples[:, 0], 95)), 1)
    row = dict(median=middle_values.pop("median"), p95=p95, **middle_values)
    load, date = round(os.getloadavg()[0], 1), time.strftime("%Y-%m-%d")
    return dict(**row, events=events, load=load, date=date, machine=machine_kind())


if __name__ == "__main__":
    main()
