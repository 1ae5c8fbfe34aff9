"""The command line: generate data, train a model, score it, sweep seeds, publish weights, draw the headline.

python -m sbd_utils COMMAND --help
"""

import argparse
import io
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm.auto import tqdm

from sbd_utils import analysis, datasets, evidence, files, pretrained, recipes


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except (ValueError, OSError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def generate(options) -> None:
    dataset = datasets.circles_dataset(options.num_images, options.seed, options.im_size)
    print(f"wrote {len(dataset)} circles to {datasets.save_dataset(dataset, options.out)}")


def train(options) -> None:
    accelerator = None
    if "WORLD_SIZE" in os.environ:  # started by `accelerate launch` or `torchrun`
        from accelerate import Accelerator

        accelerator = Accelerator()
    if options.threads:
        torch.set_num_threads(options.threads)
    key = dict(recipe=options.recipe, decoder=options.decoder, seed=options.seed)
    result = evidence.run(key, options.out, options.steps, accelerator=accelerator, progress=True)
    if result is not None:
        print_scores({str(options.out): result[0]})


def evaluate(options) -> None:
    rows = {}
    for name in options.weights:
        model = pretrained.load_weights(name) if Path(name).exists() else pretrained.load_pretrained(name)
        scores = analysis.evaluate_circles(model)
        rows[name] = {
            "informative_latents": scores.informative,
            "affine_r2": round(scores.geometry.affine_r2, 4),
            "similarity_r2": round(scores.geometry.similarity_r2, 4),
            "angle_mod_90": round(scores.geometry.angle % 90, 1),
            "squared_error": round(scores.squared_error, 2),
            "variance_2": round(scores.variances[1], 4),
            "variance_3": round(scores.variances[2], 4),
            "kl_nats": round(scores.kl, 2),
        }
    print_scores(rows)


def sweep(options) -> None:
    """Train what the table lacks, `jobs` runs at a time; every finished run is in the table at once."""
    done = {evidence.row_name(row) for row in evidence.read_rows(options.table)}
    wanted = [dict(recipe=options.recipe, decoder=d, seed=s) for s in options.seeds for d in options.decoders]
    todo = [key for key in wanted if evidence.row_name(key) not in done]
    print(f"{len(wanted) - len(todo)} of {len(wanted)} runs are in {options.table} already")
    futures = []
    threads = options.threads or max((os.cpu_count() or 1) // options.jobs, 1)
    pool = ProcessPoolExecutor(options.jobs, get_context("spawn"), torch.set_num_threads, (threads,))
    with pool, tqdm(total=len(todo), unit="run") as bar:
        for key in todo:
            out = Path(options.folder) / f"{evidence.row_name(key)}.safetensors"
            futures.append(pool.submit(evidence.run, key, out, options.steps, options.score_every))
        for future in as_completed(futures):
            evidence.add_row(options.table, *future.result())
            bar.update()


def headline(options) -> None:
    from matplotlib.figure import Figure

    from sbd_utils.plotting import plot_headline

    pair = {"SBD": "vae_circles_bw", "deconv": "vae_deconv_circles_bw"}
    figure = plot_headline(
        Figure(figsize=(11, 3.9), layout="constrained"),
        {label: pretrained.load_pretrained(name) for label, name in pair.items()},
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    print(f"wrote {files.write_atomically(options.out, buffer.getvalue())}")


def publish(options) -> None:
    print(f"entered {options.name} in {evidence.publish(options.weights, options.name, options.folder, options.note)}")


def print_scores(rows: dict[str, dict]) -> None:
    """A table, one model per column."""
    names = list(next(iter(rows.values())))
    width = max(map(len, names))
    print(" " * width, *(f"{name:>24}" for name in rows))
    for name in names:
        print(f"{name:<{width}}", *(f"{row[name]!s:>24}" for row in rows.values()))


def seeds(text: str) -> list[int]:
    """'3', '0-9' or '1,4,7' as a list of seeds."""
    parts = (part.split("-") for part in text.split(","))
    return [seed for part in parts for seed in range(int(part[0]), int(part[-1]) + 1)]


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m sbd_utils", description=__doc__.splitlines()[0])
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, function, help):
        sub = commands.add_parser(
            name, help=help, description=help, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        sub.set_defaults(run=function)
        return sub.add_argument

    recipe = dict(choices=list(recipes.RECIPES), default="fast", help="network and schedules, see sbd_utils/recipes.py")
    steps = dict(type=int, default=None, help="number of updates; by default the recipe's")

    add = command("generate", generate, "Write circles and their centres to a file.")
    add("out", help="file to write, ending in .npz or .safetensors")
    add("--num-images", type=int, default=5000, help="number of images")
    add("--seed", type=int, default=0, help="the same seed gives the same images")
    add("--im-size", type=int, default=64, help="height and width in pixels")

    add = command("train", train, "Train a VAE on the circles; run the same command again to go on after an interrupt.")
    add("out", help="weights file to write, NAME.safetensors; NAME.json holds the record, NAME.checkpoint the state")
    add("--decoder", choices=list(recipes.DECODERS), default="sbd", help="which decoder")
    add("--recipe", **recipe)
    add("--seed", type=int, default=0, help="of the initial weights, the images and the noise")
    add("--steps", **steps)
    add("--threads", type=int, default=None, help="threads to use; the same number gives the same bits")

    add = command("evaluate", evaluate, "Score models: posterior variance, geometry, squared error.")
    add("weights", nargs="+", help="weights files, or names of pretrained models")

    add = command("sweep", sweep, "Train seeds x decoders and collect the scores in one table; finished runs are kept.")
    add("table", help="the .csv file to add to")
    add("--decoders", nargs="+", choices=list(recipes.DECODERS), default=["sbd", "deconv"], help="which decoders")
    add("--seeds", type=seeds, default="0-9", help="such as 3, 0-9 or 1,4,7")
    add("--recipe", **recipe)
    add("--steps", **steps)
    add("--folder", default="runs", help="where weights, records and checkpoints go")
    add("--score-every", type=int, default=100, help="updates between two scorings that note when a goal was met")
    add("--jobs", type=int, default=1, help="runs at a time; they share the processor's cores")
    add("--threads", type=int, default=None, help="threads of each run; by default the cores divided by the jobs")

    add = command("headline", headline, "Draw the grids of the pretrained pair: the picture of the README.")
    add("out", help="file to write, ending in .png")

    add = command("publish", publish, "Copy a run's weights into the folder of pretrained models, with a model card.")
    add("weights", help="weights file written by train or sweep, with its .json beside it")
    add("name", help="name to publish under")
    add("--note", required=True, help="why this run: the first sentence of the card")
    add("--folder", default=str(pretrained.FOLDER), help="folder that holds manifest.json")
    return top


if __name__ == "__main__":
    sys.exit(main())
