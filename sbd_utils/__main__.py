"""The command line: generate data, train, evaluate, sweep, publish and convert weights.

python -m sbd_utils COMMAND --help
"""

import argparse
import io
import math
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from sbd_utils import analysis, evidence, experiments, files, pretrained
from sbd_utils.checkpoint import load_weights, save_weights
from sbd_utils.data import (
    FILES,
    STREAMS,
    FactorStream,
    circles_dataset,
    make_stream,
    save_dataset,
)
from sbd_utils.models import VAE
from sbd_utils.post_weights import load_post_weights
from sbd_utils.recipes import RECIPES, VARIANTS


def main(arguments: list[str] | None = None) -> int:
    """Run a command; errors that a reader can mend are a line, and exit status 1."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def generate(options: argparse.Namespace) -> None:
    """Write a data set."""
    dataset = circles_dataset(options.num_images, options.seed, options.im_size)
    path = save_dataset(dataset, Path(options.out).expanduser())
    print(f"wrote {len(dataset)} circles to {path}")


def train(options: argparse.Namespace) -> None:
    """Train one model."""
    accelerator = None
    if "WORLD_SIZE" in os.environ:  # started by `accelerate launch` or `torchrun`
        from accelerate import Accelerator

        accelerator = Accelerator()
    if options.threads:
        torch.set_num_threads(options.threads)
    key = {name: getattr(options, name) for name in evidence.KEY}
    result = experiments.run_experiment(
        key,
        Path(options.out).expanduser(),
        options.steps,
        precision=options.precision,
        processor_seconds=options.processor_seconds,
        accelerator=accelerator,
        progress=True,
        data=options.data,
    )
    if result is not None:
        print_scores({str(options.out): vars(result.row)})


def evaluate(options: argparse.Namespace) -> None:
    """Score models."""
    rows = {}
    for name in options.weights:
        path = Path(name).expanduser()
        model = load_weights(path) if path.exists() else pretrained.load_pretrained(name)
        if not isinstance(model, VAE):
            raise ValueError(f"{name} holds a {type(model).__name__}; this scores a VAE")
        source = make_stream(options.dataset, im_size=model.config["im_size"], path=options.data)
        rows[name] = _scores_of(model, source)
    print_scores(rows)


def _scores_of(model: Any, source: FactorStream) -> dict[str, Any]:
    scores = analysis.evaluate_model(model, source)
    variances = {f"variance_{i + 1}": round(v, 4) for i, v in enumerate(scores.variances[:3])}
    factors = {f"r2_of_{name}": round(r2, 3) for name, r2 in (scores.factor_r2 or {}).items()}
    return {
        "informative_latents": scores.informative,
        "affine_r2": round(scores.geometry.affine_r2, 4),
        "similarity_r2": round(scores.geometry.similarity_r2, 4),
        "angle_mod_90": round(scores.geometry.angle % 90, 1),
        "squared_error": round(scores.squared_error, 2),
        **variances,
        "kl_nats": round(scores.kl, 2),
        "share_of_pair": round(scores.pair_share, 3),
        **factors,
    }


def sweep(options: argparse.Namespace) -> None:
    """Train what the table lacks, `jobs` runs at a time; every finished run is in it at once."""
    done = {row.name for row in evidence.read_rows(options.table)}
    wanted = [
        {"dataset": options.dataset, "recipe": options.recipe, "decoder": decoder, "seed": seed}
        for seed in options.seeds
        for decoder in options.decoders
    ]
    todo = [key for key in wanted if evidence.row_name(key) not in done]
    print(f"{len(wanted) - len(todo)} of {len(wanted)} runs are in {options.table} already")
    threads = options.threads or max((os.cpu_count() or 1) // options.jobs, 1)
    pool = ProcessPoolExecutor(
        options.jobs, get_context("spawn"), torch.set_num_threads, (threads,)
    )
    with pool, tqdm(total=len(todo), unit="run") as bar:
        futures = []
        for key in todo:
            out = Path(options.folder) / f"{evidence.row_name(key)}.safetensors"
            arguments = (key, out, options.steps, options.score_every, options.precision)
            budget, data = options.processor_seconds, options.data
            run = pool.submit(experiments.run_experiment, *arguments, budget, data=data)
            futures.append(run)
        for future in as_completed(futures):
            result = future.result()
            assert result is not None  # a run that is alone is the main process
            evidence.add_row(options.table, *result)
            bar.update()


def headline(options: argparse.Namespace) -> None:
    """Draw the picture of the README."""
    from matplotlib.figure import Figure

    from sbd_utils.plotting import plot_headline

    pair = {"SBD": "vae_circles_bw", "deconv": "vae_deconv_circles_bw"}
    models = {label: pretrained.load_pretrained(name) for label, name in pair.items()}
    figure = plot_headline(Figure(figsize=(11, 3.9), layout="constrained"), models)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    print(f"wrote {files.write_atomically(options.out, buffer.getvalue())}")


def publish(options: argparse.Namespace) -> None:
    """Enter a run in the manifest."""
    manifest = pretrained.publish(options.weights, options.name, options.folder, options.note)
    print(f"entered {options.name} in {manifest}")


def convert(options: argparse.Namespace) -> None:
    """Rewrite weights of the blog post's code as a file of this course."""
    path = save_weights(load_post_weights(options.weights), Path(options.out).expanduser())
    print(f"wrote {path}; `load_weights` reads it")


def print_scores(rows: dict[str, dict[str, Any]]) -> None:
    """A table, one model per column."""
    names = list(next(iter(rows.values())))
    width = max(map(len, names))
    print(" " * width, *(f"{name:>24}" for name in rows))
    for name in names:
        print(f"{name:<{width}}", *(f"{row[name]!s:>24}" for row in rows.values()))


def seeds(text: str) -> list[int]:
    """'3', '0-9' or '1,4,7' as a list of seeds."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            numbers = range(int(first), int(last or first) + 1)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} is no seed; try 3, 0-9 or 1,4,7") from None
        if not numbers:
            raise argparse.ArgumentTypeError(f"{part!r} runs backwards; write {last}-{first}")
        found += numbers
    return found


def positive(text: str) -> int:
    """A whole number of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def duration(text: str) -> float:
    """A finite number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    summary = (__doc__ or "").splitlines()[0]
    top = argparse.ArgumentParser(prog="python -m sbd_utils", description=summary)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Callable, help: str) -> Callable:
        style = argparse.ArgumentDefaultsHelpFormatter
        sub = commands.add_parser(name, help=help, description=help, formatter_class=style)
        sub.set_defaults(run=function)
        return sub.add_argument

    add = command("generate", generate, "Write circles and their centres to a file.")
    add("out", help="file to write, ending in .npz or .safetensors")
    add("--num-images", type=positive, default=5000, help="number of images")
    add("--seed", type=int, default=0, help="the same seed gives the same images")
    add("--im-size", type=positive, default=64, help="height and width in pixels")

    add = command("train", train, "Train a VAE; run the same command again after an interrupt.")
    add("out", help="weights to write, NAME.safetensors; NAME.json and NAME.checkpoint beside it")
    add("--decoder", choices=list(VARIANTS), default="sbd", help="which decoder")
    add("--seed", type=int, default=0, help="of the initial weights, the images and the noise")
    add("--threads", type=positive, default=None, help="the same number gives the same bits")
    _add_run_options(add)

    add = command(
        "evaluate", evaluate, "Score models: posterior variance, geometry, squared error."
    )
    add("weights", nargs="+", help="weights files, or names of pretrained models")
    _add_dataset(add)

    add = command("sweep", sweep, "Train seeds x decoders into one table; finished runs are kept.")
    add("table", help="the .csv file to add to")
    add("--decoders", nargs="+", choices=list(VARIANTS), default=["sbd", "deconv"], help="which")
    add("--seeds", type=seeds, default="0-9", help="such as 3, 0-9 or 1,4,7")
    add("--folder", default="runs", help="where weights, records and checkpoints go")
    add("--score-every", type=positive, default=100, help="updates between two scorings")
    add("--jobs", type=positive, default=1, help="runs at a time; they share the cores")
    add("--threads", type=positive, default=None, help="of each run; by default cores / jobs")
    _add_run_options(add)

    add = command("headline", headline, "Draw the grids of the pretrained pair, for the README.")
    add("out", help="file to write, ending in .png")

    add = command(
        "publish", publish, "Copy a run's weights into the pretrained models, with a card."
    )
    add("weights", help="weights file written by train or sweep, with its .json beside it")
    add("name", help="name to publish under")
    add("--note", required=True, help="why this run: the first sentence of the card")
    add("--folder", default=str(pretrained.FOLDER), help="folder that holds manifest.json")

    add = command("convert", convert, "Rewrite weights of the blog post's code for this course.")
    add("weights", help="the post's file, ending in .pt")
    add("out", help="file to write, ending in .safetensors")
    return top


def _add_run_options(add: Callable) -> None:
    """What `train` and `sweep` share."""
    _add_dataset(add)
    add("--recipe", choices=list(RECIPES), default="fast", help="see sbd_utils/recipes.py")
    add("--steps", type=positive, default=None, help="updates; by default the recipe's")
    precisions = ["fp32", "bf16", "auto"]
    add("--precision", choices=precisions, default=None, help="by default the recipe's")
    budget = "a budget: training ends with the scoring after it is spent"
    add("--processor-seconds", type=duration, default=None, help=budget)


def _add_dataset(add: Callable) -> None:
    add("--dataset", choices=list(STREAMS), default="circles", help="what is learned")
    readers = ", ".join(FILES)
    add("--data", metavar="FILE", default=None, help=f"the file of a data set ({readers})")


if __name__ == "__main__":
    sys.exit(main())
