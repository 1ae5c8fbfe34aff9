"""The recipes against each other: the wide architecture by ours and by a reference, one core each.

The reference is by default that of dfdazac/vaesbd (recipe 'reference', beta 1); the blog post's own
(recipe 'post', beta 2) is run by `python -m tools.benchmarks recipe:post`. Prints, and writes to
pretrained/evidence/recipe_benchmark.csv, when each part of "geometry recovered" was first met, in
seconds of processor time of one core, scoring excluded: other programs count little. A reference is
stopped after 40 minutes. Takes 50 minutes on an idle machine with bf16.
"""

import dataclasses
import resource
import sys
from dataclasses import dataclass
from typing import Any

import torch

from sbd_utils import RECIPES, History, Milestones, read_rows, train_circles
from sbd_utils.evidence import EVIDENCE, processor_kind, software_kind, write_rows
from sbd_utils.experiments import GOALS
from sbd_utils.training import fast_precision

TABLE = EVIDENCE / "recipe_benchmark.csv"
CAP = 40 * 60
"""Seconds of processor time."""


@dataclass(frozen=True, kw_only=True)
class BenchmarkRow:
    """One recipe, seed 0, 64 channels, trained on one thread until recovered or at the cap."""

    recipe: str
    beta: str
    """At the end, or 'schedule'."""
    seconds_to_affine_095: float | None
    """Of processor time, as the next five; empty if it did not happen within `seconds`."""
    seconds_to_two_latents: float | None
    seconds_to_affine_099: float | None
    seconds_to_similarity_099: float | None
    seconds_to_squared_error: float | None
    seconds_to_recovered: float | None
    seconds: float
    updates: int
    seconds_per_update: float
    informative_latents: int
    variance_2: float
    variance_3: float
    affine_r2: float
    similarity_r2: float
    squared_error: float
    peak_memory_mib: int
    precision: str
    processor: str
    software: str


class Clock(Milestones):
    """Milestones by processor time; ends training once the geometry is recovered, or at the cap."""

    def __call__(self, model: Any, history: History) -> bool:
        """Score the model; True ends training."""
        history = dataclasses.replace(history, seconds=history.processor_seconds)
        super().__call__(model, history)
        self.used, self.made = history.seconds[-1].item(), len(history.seconds)
        met = ", ".join(self.seconds)
        print(f"{self.made} updates, {self.used:.0f} s, met: {met}", flush=True)
        return "recovered" in self.seconds or self.used > CAP


def measure(recipe: str, every: int) -> BenchmarkRow:
    """Train by a recipe, scored every so many updates."""
    clock = Clock(RECIPES["wide"].squared_error_limit)
    show = sys.stderr.isatty()
    train_circles(recipe, seed=0, callback=clock, callback_every=every, progress=show)
    scores, beta = clock.scores, RECIPES[recipe].fit.get("beta", 1.0)
    assert scores is not None
    return BenchmarkRow(
        recipe=recipe,
        beta="schedule" if callable(beta) else f"{beta:g}",
        **{f"seconds_to_{goal}": clock.seconds.get(goal) for goal in GOALS},
        seconds=round(clock.used, 1),
        updates=clock.made,
        seconds_per_update=round(clock.used / clock.made, 4),
        informative_latents=scores.informative,
        variance_2=round(scores.variances[1], 4),
        variance_3=round(scores.variances[2], 4),
        affine_r2=round(scores.geometry.affine_r2, 4),
        similarity_r2=round(scores.geometry.similarity_r2, 4),
        squared_error=round(scores.squared_error, 2),
        peak_memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        precision=fast_precision("cpu"),
        processor=processor_kind(),
        software=software_kind(),
    )


def main(reference: str = "reference") -> None:
    """Run a reference and our recipe, and write the table."""
    torch.set_num_threads(1)
    rows = {row.recipe: row for row in read_rows(TABLE, BenchmarkRow)}
    for recipe, every in [(reference, 500), ("wide", 100)]:
        rows[recipe] = measure(recipe, every)
        write_rows(TABLE, rows.values())
    for field in dataclasses.fields(BenchmarkRow):
        values = [getattr(row, field.name) for row in rows.values()]
        print(f"{field.name:<28}", *(f"{value!s:>24}" for value in values))
