"""Score committed models of scenes that are asked for more than they were trained for.

    python -m tools.asked TABLE.csv

Each is asked for fewer and more steps of inference, for another number of slots, for scenes whose
hues differ or are all the same, and for five objects, where training has two to four. The table is
made anew.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from sbd_utils.data import SCENES
from sbd_utils.evidence import AskedRow, processor_kind, software_kind, write_rows
from sbd_utils.files import locked
from sbd_utils.pretrained import load_pretrained
from sbd_utils.scene_scoring import score_scenes
from tools.scenes import DIGITS, HELD_OUT

ASKED = {
    "iodine_scenes": ("refinements", 4),
    "monet_scenes": (None, 2),
    "slots_scenes": ("iterations", 1),
}
"""By name: what the model calls a step of inference, of which it takes as many as it is asked for
(None where there is no such number), and the width of the blocks to ask for."""
HUES = ("scenes-distinct", "scenes-shared")
"""Worlds that are "scenes" but for the hues."""
STEPS = (1, 2, 3, 5, 8)
SLOTS = (4, 5, 6, 7)
SCORED = 100
"""Scenes."""


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    description = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tools.asked", description=description)
    parser.add_argument("table", type=Path, help="the .csv file to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = [score(*question) for question in questions()]
    with locked(options.table):
        write_rows(options.table, rows)
    return 0


def questions() -> Iterator[tuple[str, str, int, int]]:
    """Weights, data set, slots, steps: each thing is changed alone, then all for five objects."""
    for name, (step, _) in ASKED.items():
        trained = load_pretrained(name).config
        slots, steps = trained["slots"], trained[step] if step else 0
        yield from ((name, "scenes", slots, number) for number in (STEPS if step else [steps]))
        yield from ((name, "scenes", number, steps) for number in SLOTS if number != slots)
        yield from ((name, dataset, slots, steps) for dataset in HUES)
        yield from ((name, "scenes-five", number, steps) for number in (slots, slots + 1))
        if step:
            yield name, "scenes-five", slots + 1, 2 * steps


def score(name: str, dataset: str, slots: int, steps: int) -> AskedRow:
    """The row of one question."""
    step, pool = ASKED[name]
    stream = SCENES[dataset](seed=HELD_OUT)
    options: dict[str, Any] = {"slots": slots} | ({step: steps} if step else {})
    model, scenes = load_pretrained(name), stream.batch(0, SCORED)
    found = score_scenes(model, scenes, stream, pool, **options)
    scores = {key: round(value, DIGITS) for key, value in found.scores.items()}
    row = AskedRow(
        weights=name,
        dataset=dataset,
        slots=slots,
        steps=steps,
        pool=pool,
        scenes=SCORED,
        **scores,
        processor=processor_kind(),
        software=software_kind(),
    )
    print(f"{name}, {dataset}: {slots} slots, {steps} steps: ARI {row.ari:.3f}", flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
