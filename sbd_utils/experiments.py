"""One experiment: a run that is trained, scored while it trains, and recorded."""

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from sbd_utils.analysis import SQUARED_ERROR_LIMIT, Scores, evaluate_model
from sbd_utils.checkpoint import save_weights
from sbd_utils.data import CircleStream, FactorStream, make_stream
from sbd_utils.evidence import (
    EVIDENCE,
    KEY,
    CurveRow,
    RunRow,
    SceneRow,
    processor_kind,
    software_kind,
    weights_path,
    words_of,
)
from sbd_utils.files import beside, load_tensors, read_text, save_tensors, write_text
from sbd_utils.models import VAE
from sbd_utils.recipes import RECIPES, VARIANTS, train_recipe
from sbd_utils.training import History, fast_precision

GOALS = (
    "affine_095",
    "two_latents",
    "affine_099",
    "similarity_099",
    "squared_error",
    "recovered",
)
"""What `Milestones` looks for; `RunRow` has a column for each."""


class Milestones:
    """A callback for `fit` that scores the model and notes when each of GOALS was first met.

    `seconds` and `updates` hold, by goal, the training time (scoring not counted) and the number of
    updates at the first scoring that met it; `scores` is the last scoring, `curve` has a few
    columns of each.
    """

    def __init__(
        self,
        squared_error_limit: float = SQUARED_ERROR_LIMIT,
        path: Path | None = None,
        source: FactorStream | None = None,
        processor_seconds: float = math.inf,
    ) -> None:
        """Start without notes, or with those in a file.

        Args:
            squared_error_limit: The goal 'squared_error', and part of 'recovered'.
            path: Keeps the notes beside a checkpoint, for a run that is resumed.
            source: What the model is trained on; by default the circles.
            processor_seconds: A budget: training ends at the first scoring after it is spent.
        """
        self.limit, self.path = squared_error_limit, path
        self.source, self.budget = source, processor_seconds
        self.scores: Scores | None = None
        kept = json.loads(read_text(path)) if path and path.exists() else {}
        self.seconds: dict[str, float] = kept.get("seconds", {})
        self.updates: dict[str, int] = kept.get("updates", {})
        self.curve: list[dict[str, Any]] = kept.get("curve", [])

    def __call__(self, model: Any, history: History) -> bool:
        """Score the model; whether the budget is spent."""
        if self.source is None:
            self.source = CircleStream(im_size=model.config["im_size"])
        self.scores = evaluate_model(model.eval(), self.source)
        for goal, met in self._met(self.scores).items():
            if met and goal not in self.seconds:
                self.seconds[goal] = round(history.seconds[-1].item(), 1)
                self.updates[goal] = len(history.seconds)
        spent = history.processor_seconds[-1].item()
        self._add_point(len(history.seconds), spent, self.scores)
        if self.path:
            notes = {"seconds": self.seconds, "updates": self.updates, "curve": self.curve}
            write_text(self.path, json.dumps(notes))
        return spent >= self.budget

    def _add_point(self, updates: int, spent: float, scores: Scores) -> None:
        """Note a scoring; after a resume it replaces those from here on."""
        self.curve = [point for point in self.curve if point["updates"] < updates]
        columns = _score_columns(scores)
        names = [f.name for f in dataclasses.fields(CurveRow) if f.name in columns]
        times = {"updates": updates, "processor_seconds": round(spent, 1)}
        self.curve.append({**times, **{name: columns[name] for name in names}})

    def _met(self, scores: Scores) -> dict[str, bool]:
        affine, similarity = scores.geometry.affine_r2, scores.geometry.similarity_r2
        return {
            "affine_095": affine >= 0.95,
            "two_latents": scores.two_latents,
            "affine_099": affine >= 0.99,
            "similarity_099": similarity >= 0.99,
            "squared_error": scores.squared_error <= self.limit,
            "recovered": scores.recovered(self.limit),
        }


class Finished(NamedTuple):
    """What `run_experiment` returns."""

    row: RunRow
    """For the table."""
    grid: np.ndarray
    """The encoded evaluation grid [310, 2]."""
    curve: list[CurveRow]
    """The scorings while it trained."""


def run_experiment(
    key: Mapping[str, Any],
    out: str | Path,
    steps: int | None = None,
    score_every: int = 100,
    precision: str | None = None,
    processor_seconds: float | None = None,
    accelerator: Any = None,
    progress: bool = False,
    data: str | Path | None = None,
) -> Finished | None:
    """Train and score a run; write its weights, record and checkpoint.

    A run that was stopped goes on from its checkpoint.

    Args:
        key: dataset, recipe, decoder and seed, see `train_recipe`.
        out: Where the weights go, NAME.safetensors; NAME.json and NAME.checkpoint stand beside it.
        steps: Another number of updates than the recipe's.
        score_every: Updates between two scorings for the milestones.
        precision: Another one than the recipe's.
        processor_seconds: A budget, all threads together, scoring not counted: the run ends with
            the first scoring after it is spent, if the recipe does not end before.
        accelerator: See `fit`.
        progress: Whether to show a bar.
        data: The file of a data set that is read from one.

    Returns:
        The row of the run and what stands beside it; None in every process but the main one.
    """
    recipe = RECIPES[key["recipe"]]
    milestones = Milestones(
        recipe.squared_error_limit,
        beside(out, ".milestones.json"),
        make_stream(key["dataset"], im_size=recipe.im_size, path=data),
        math.inf if processor_seconds is None else processor_seconds,
    )
    options: dict[str, Any] = {} if precision is None else {"precision": precision}
    model, history = train_recipe(
        **key,
        steps=steps,
        data=data,
        checkpoint=beside(out, ".checkpoint"),
        callback=milestones,
        callback_every=score_every,
        progress=progress,
        accelerator=accelerator,
        **options,
    )
    if accelerator is not None and not accelerator.is_main_process:
        return None
    row = make_row(key, model, history, milestones, precision)
    save_weights(model.cpu(), out)
    command = _command(key, out, steps, precision, processor_seconds, data)
    save_record(beside(out, ".json"), row, history, command)
    assert milestones.scores is not None  # `fit` calls it at the end
    name = {part: key[part] for part in KEY}
    curve = [CurveRow(**name, **point) for point in milestones.curve]
    return Finished(row, milestones.scores.grid, curve)


def load_run(name: str, row: RunRow, folder: str | Path = EVIDENCE) -> VAE:
    """The network of a run whose weights are kept beside its table, as half-precision numbers.

    Args:
        name: The table, such as 'seeds_circles_fp32'.
        row: Of that table.
        folder: Where the table is.

    Returns:
        The model in eval mode, in float32.

    Raises:
        FileNotFoundError: The table keeps no weights.
        KeyError: It keeps none of this run.
    """
    tensors, _ = load_tensors(weights_path(Path(folder) / f"{name}.csv"))
    start = f"{row.name}/"
    state = {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
    if not state:
        raise KeyError(f"the weights beside {name} have none of {row.name}")
    in_channels = state["encoder.convs.0.weight"].shape[1]
    made = {**RECIPES[row.recipe].model, "channels": row.channels, "in_channels": in_channels}
    model = VAE(**VARIANTS[row.decoder], **made)
    model.load_state_dict(state)  # copies into float32
    return model.eval()


def keep_weights(table: str | Path, models: Mapping[str, VAE]) -> Path:
    """Write the weights of a table's runs beside it, in half precision.

    Args:
        table: The .csv file.
        models: By the rows' names.

    Returns:
        The path.
    """
    tensors = {
        f"{name}/{key}": tensor.half()
        for name, model in models.items()
        for key, tensor in model.state_dict().items()
    }
    content = "float16 weights by dataset-recipe-decoder-seed/parameter"
    return save_tensors(weights_path(table), tensors, {"content": content})


def make_row(
    key: Mapping[str, Any],
    model: Any,
    history: History,
    milestones: Milestones,
    precision: str | None = None,
) -> RunRow:
    """The row of a run: its scores, its times, and what it ran on.

    Args:
        key: dataset, recipe, decoder and seed.
        model: The trained model.
        history: What `fit` returned.
        milestones: The callback that scored it.
        precision: Of the run; by default the recipe's.

    Raises:
        ValueError: The milestones hold no scoring.
    """
    scores = milestones.scores
    if scores is None:
        raise ValueError("milestones has scored nothing; give it to `fit` as its callback")
    if precision is None:
        precision = RECIPES[key["recipe"]].fit["precision"]
    if precision == "auto":
        precision = fast_precision(next(model.parameters()).device.type)
    numbered = enumerate(scores.variances[:4], 1)
    variances: dict[str, Any] = {f"variance_{i}": round(value, 4) for i, value in numbered}
    seconds: dict[str, Any] = {f"seconds_to_{goal}": milestones.seconds.get(goal) for goal in GOALS}
    return RunRow(
        **{name: key[name] for name in KEY},
        channels=model.config["channels"],
        updates=len(history.seconds),
        recovered=scores.recovered(milestones.limit),
        **variances,
        **_score_columns(scores),
        training_seconds=round(history.seconds[-1].item(), 1),
        processor_seconds=round(history.processor_seconds[-1].item(), 1),
        **seconds,
        updates_to_recovered=milestones.updates.get("recovered"),
        threads=torch.get_num_threads(),
        precision=precision,
        processor=processor_kind(),
        software=software_kind(),
    )


def _score_columns(scores: Scores) -> dict[str, Any]:
    """The columns of `RunRow` that are scores, rounded."""
    geometry = scores.geometry
    probes = {"linear_r2": scores.linear_r2, "neighbor_r2": scores.neighbor_r2}
    rounded = {name: None if r2 is None else round(r2, 5) for name, r2 in probes.items()}
    return {
        "informative_latents": scores.informative,
        "affine_r2": round(geometry.affine_r2, 5),
        "similarity_r2": round(geometry.similarity_r2, 5),
        "angle_mod_90": round(geometry.angle % 90, 1),
        "reflected": geometry.reflected,
        "squared_error": round(scores.squared_error, 3),
        "kl_nats": round(scores.kl, 3),
        **rounded,
        "factor_r2": words_of(scores.factor_r2),
        "pair_share": round(scores.pair_share, 4),
    }


def save_record(
    path: str | Path,
    row: RunRow | SceneRow,
    history: History,
    command: str,
    scored_on: str | None = None,
) -> Path:
    """Write the record of a run as JSON: its row, the command, its history, thinned.

    Args:
        path: The file.
        row: Of the run's last scoring.
        history: What `fit` returned.
        command: That makes the run again.
        scored_on: What the row's scores were computed on, if not what `publish` takes it for.
    """
    step = max(len(history.seconds) // 200, 1)
    series = {**history.parts, **history.schedules, "seconds": history.seconds}
    kept = {name: _rounded(values[::step].tolist()) for name, values in series.items()}
    record = {
        "command": command,
        "scores": dataclasses.asdict(row),
        "history_every": step,
        "history": kept,
    }
    if scored_on is not None:
        record["scored_on"] = scored_on
    return write_text(path, json.dumps(record, indent=1) + "\n")


def _rounded(values: Any) -> Any:
    """Numbers, or lists of them, to six digits."""
    return [_rounded(v) for v in values] if isinstance(values, list) else float(f"{values:.6g}")


def _command(
    key: Mapping[str, Any],
    out: str | Path,
    steps: int | None,
    precision: str | None,
    processor_seconds: float | None,
    data: str | Path | None,
) -> str:
    """The command that makes the run again."""
    options = {**key, "threads": torch.get_num_threads(), "steps": steps, "precision": precision}
    options |= {"processor-seconds": processor_seconds, "data": data and Path(data).name}
    given = [f"--{name} {value}" for name, value in options.items() if value is not None]
    return f"python -m sbd_utils train runs/{Path(out).name} {' '.join(given)}"
