"""Train models of scenes and score them: a table of runs, and one of every scoring on the way.

    python -m tools.scenes TABLE.csv --recipe iodine-blocks --seeds 0-2 [--dataset scenes]
    python -m tools.scenes TABLE.csv --controls [--dataset scenes]

Each run's last scoring goes into TABLE.csv, all of them go into TABLE_curves.csv beside it, the
weights and their record into the folder of runs. What TABLE.csv has already is left alone: delete a
row to make it anew. A run that was stopped goes on from its checkpoint.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sbd_utils.__main__ import positive, seeds
from sbd_utils.checkpoint import save_weights
from sbd_utils.data import SCENES, Scenes
from sbd_utils.evidence import (
    SceneRow,
    curves_path,
    processor_kind,
    read_rows,
    software_kind,
    words_of,
    write_rows,
)
from sbd_utils.experiments import save_record
from sbd_utils.files import beside, locked
from sbd_utils.metrics import (
    block_ceiling,
    kmeans_masks,
    random_masks,
    voronoi_masks,
)
from sbd_utils.scene_recipes import SCENE_RECIPES, train_scenes
from sbd_utils.scene_scoring import SceneScores, control_scores, score_scenes
from sbd_utils.training import History

HELD_OUT = 1_000_003
"""Seed of scenes that training does not use."""
SCORED = 500
"""Scenes."""
DIGITS = 4

CONTROLS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "control-random": lambda images, slots: random_masks(_shape(images, slots)),
    "control-voronoi": lambda images, slots: voronoi_masks(_shape(images, slots)),
    "control-kmeans": kmeans_masks,
}
"""Masks that were not learned, of images [N, C, H, W] and so many slots."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.scenes", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("table", type=Path, help="the .csv file to add to")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--recipe", choices=list(SCENE_RECIPES))
    what.add_argument("--controls", action="store_true", help="score masks that are not learned")
    parser.add_argument("--dataset", choices=list(SCENES), default="scenes")
    parser.add_argument("--seeds", type=seeds, default=[0], help="such as 0-9 or 1,4,7")
    parser.add_argument("--steps", type=positive, help="updates; by default the recipe's")
    parser.add_argument("--slots", type=positive, default=5, help="of the controls")
    parser.add_argument("--score-every", type=positive, default=100, help="updates")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="where weights go")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.controls:
        scenes = held_out(options.dataset, 32)
        for name in CONTROLS:
            add_row(options.table, control_row(name, options.dataset, scenes, options.slots))
        return 0
    done = {row.run for row in read_rows(options.table, SceneRow)}
    for seed in options.seeds:
        if (options.dataset, options.recipe, seed) not in done:
            row = train(options.recipe, options.dataset, seed, options)
            add_row(options.table, row)
            print(describe(row), flush=True)
    return 0


def held_out(dataset: str, im_size: int) -> Scenes:
    """Scenes of H x H pixels that training does not use."""
    return SCENES[dataset](seed=HELD_OUT, im_size=im_size).batch(0, SCORED)


def train(recipe: str, dataset: str, seed: int, options: argparse.Namespace) -> SceneRow:
    """Train one model, write its weights and its curve; the row of its last scoring."""
    path = options.folder / f"{dataset}-{recipe}-{seed}.safetensors"
    made = SCENE_RECIPES[recipe]
    stream, scenes = SCENES[dataset](), held_out(dataset, made.im_size)
    rows: list[SceneRow] = []

    def score(model: Any, history: History) -> None:
        model.eval()
        pool = int(history.pool[-1])
        found = score_scenes(model, scenes, stream, pool)
        rows.append(
            SceneRow(
                dataset=dataset,
                recipe=recipe,
                seed=seed,
                updates=len(history.seconds),
                pool=pool,
                slots=model.config["slots"],
                scenes=len(scenes.images),
                **columns(found),
                processor_seconds=round(history.processor_seconds[-1].item(), 1),
                **machine(made.fit["precision"]),
            )
        )
        add_row(curves_path(options.table), rows[-1])
        print(describe(rows[-1]), flush=True)

    model, history = train_scenes(
        recipe,
        dataset,
        seed,
        options.steps,
        checkpoint=beside(path, ".checkpoint"),
        callback=score,
        callback_every=options.score_every,
        progress=False,
    )
    save_weights(model, path)
    named = f"--dataset {dataset} --recipe {recipe} --seeds {seed}"
    named += f" --steps {options.steps}" if options.steps else ""
    command = f"python -m tools.scenes runs/scenes.csv {named}"
    scored_on = f"{len(scenes.images)} scenes that training does not use"
    save_record(beside(path, ".json"), rows[-1], history, command, scored_on)
    return rows[-1]


def control_row(name: str, dataset: str, scenes: Scenes, slots: int) -> SceneRow:
    """The row of masks that were not learned."""
    masks = CONTROLS[name](scenes.images.numpy(), slots)
    scores = control_scores(masks, scenes).means()
    ceiling = block_ceiling(scenes.masks, scenes.images, 1).means()
    return SceneRow(
        dataset=dataset,
        recipe=name,
        seed=0,
        updates=0,
        pool=1,
        slots=slots,
        scenes=len(scenes.images),
        **columns(SceneScores(scores, ceiling, None, None)),
        **machine("fp64"),
    )


def columns(found: SceneScores) -> dict[str, Any]:
    """The columns of `SceneRow` that are scores, rounded."""
    scores = {name: round(value, DIGITS) for name, value in found.scores.items()}
    ceilings = {f"{name}_ceiling": round(value, DIGITS) for name, value in found.ceiling.items()}
    pair_r2 = None if found.pair_r2 is None else round(found.pair_r2, DIGITS)
    return {**scores, **ceilings, "pair_r2": pair_r2, "factor_r2": words_of(found.factor_r2)}


def machine(precision: str) -> dict[str, Any]:
    """The columns of `SceneRow` that say what it was computed on."""
    return {
        "threads": torch.get_num_threads(),
        "precision": precision,
        "processor": processor_kind(),
        "software": software_kind(),
    }


def add_row(path: Path, row: SceneRow) -> None:
    """Put a row into a table, in the order of its key, in place of one of the same key."""
    with locked(path):
        rows = {old.key: old for old in read_rows(path, SceneRow)} | {row.key: row}
        write_rows(path, [rows[key] for key in sorted(rows)])


def describe(row: SceneRow) -> str:
    """A row in a line."""
    names = ("foreground_ari", "ari", "held", "surplus_slots", "squared_error")
    scores = (f"{name} {getattr(row, name):.3f}" for name in names)
    seconds = f"{row.processor_seconds} s, blocks of {row.pool}"
    return f"{row.recipe} {row.seed} after {row.updates} updates, {seconds}: {', '.join(scores)}"


def _shape(images: np.ndarray, slots: int) -> tuple[int, int, int, int]:
    count, _, height, width = images.shape
    return count, slots, height, width


if __name__ == "__main__":
    sys.exit(main())
