"""The recipes against each other: the default architecture by ours and by the reference recipe, one core each.

Prints, and writes to pretrained/evidence/recipe_benchmark.csv, when each part of "geometry recovered" was first met,
in seconds of processor time of one core (other programs count little), scoring excluded. The reference is stopped after
40 minutes. Takes 50 minutes on an idle machine.
"""

import csv
import io
import resource
import sys
import time
from pathlib import Path

import torch

from sbd_utils import Milestones, machine_kind
from sbd_utils.files import write_atomically
from sbd_utils.recipes import train_circles

TABLE = Path(__file__).resolve().parents[2] / "pretrained" / "evidence" / "recipe_benchmark.csv"
CAP = 40 * 60  # seconds of processor time


class Clock(Milestones):
    """Milestones by processor time; ends training once the geometry is recovered, or at the cap."""

    def __init__(self, limit: float):
        super().__init__(limit)
        self.start, self.scoring = time.process_time(), 0.0

    def __call__(self, model, history) -> bool:
        before = time.process_time()
        trained = before - self.start - self.scoring
        history = history._replace(seconds=torch.full_like(history.seconds, trained))
        super().__call__(model, history)
        self.scoring += time.process_time() - before
        self.last = (round(trained, 1), len(history.seconds))
        print(
            f"{len(history.seconds)} updates, {trained:.0f} s, met: {', '.join(self.seconds)}",
            flush=True,
        )
        return "recovered" in self.seconds or trained > CAP


def measure(recipe: str, limit: float, every: int) -> dict:
    clock = Clock(limit)
    train_circles(
        recipe, "sbd", seed=0, callback=clock, callback_every=every, progress=sys.stderr.isatty()
    )
    scores, (seconds, updates) = clock.scores, clock.last
    return {
        "recipe": recipe,
        **{
            f"seconds_to_{goal}": clock.seconds.get(goal, f"not in {seconds:.0f}")
            for goal in Milestones.GOALS
        },
        "seconds": seconds,
        "updates": updates,
        "seconds_per_update": round(seconds / updates, 4),
        "informative_latents": scores.informative,
        "variance_2": round(scores.variances[1], 4),
        "variance_3": round(scores.variances[2], 4),
        "affine_r2": round(scores.geometry.affine_r2, 4),
        "similarity_r2": round(scores.geometry.similarity_r2, 4),
        "squared_error": round(scores.squared_error, 2),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "machine": f"1 thread of {machine_kind()}",
    }


def main() -> None:
    torch.set_num_threads(1)
    rows = [measure("reference", 3.0, every=500), measure("default", 3.0, every=100)]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(TABLE, text.getvalue().encode())
    for name in rows[0]:
        print(f"{name:<28}", *(f"{row[name]!s:>24}" for row in rows))
