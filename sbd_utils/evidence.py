"""What a training run leaves behind: one row of scores, its encoded grid, a model card, an entry in the manifest."""

import csv
import io
import json
import os
import platform
from pathlib import Path

import numpy as np
import torch

from sbd_utils.analysis import evaluate_circles
from sbd_utils.files import load_tensors, save_tensors, sha256, write_atomically
from sbd_utils.models import VAE
from sbd_utils.recipes import train_circles
from sbd_utils.training import History, save_weights

KEY = ("recipe", "decoder", "seed")  # what tells one row of a table from another
SQUARED_ERROR_LIMIT = {"default": 3.0}  # of "geometry recovered"; 5 for every other recipe


class Milestones:
    """A callback for `fit` that scores the model while it trains, and notes when each goal was first met.

    `seconds` and `updates` hold, under the names in GOALS, the training time (scoring not counted) and the number of
    updates at the first scoring that met the goal; `scores` is the last scoring. With a path, the notes are kept in a
    file beside the checkpoint, for a run that is resumed.
    """

    GOALS = ("affine_095", "two_latents", "affine_099", "similarity_099", "squared_error", "recovered")

    def __init__(self, squared_error_limit: float = 5.0, path: Path | None = None):
        self.limit, self.path, self.scores = squared_error_limit, path, None
        kept = json.loads(path.read_text()) if path and path.exists() else {}
        self.seconds, self.updates = kept.get("seconds", {}), kept.get("updates", {})

    def __call__(self, model: VAE, history: History) -> None:
        training = model.training
        self.scores = scores = evaluate_circles(model.eval())
        model.train(training)
        affine, similarity = scores.geometry.affine_r2, scores.geometry.similarity_r2
        met = (
            affine >= 0.95,
            scores.two_latents,
            affine >= 0.99,
            similarity >= 0.99,
            scores.squared_error <= self.limit,
            scores.recovered(self.limit),
        )
        for goal, reached in zip(self.GOALS, met, strict=True):
            if reached and goal not in self.seconds:
                self.seconds[goal] = round(history.seconds[-1].item(), 1)
                self.updates[goal] = len(history.seconds)
        if self.path:
            write_atomically(self.path, json.dumps(dict(seconds=self.seconds, updates=self.updates)).encode())


def run(
    key: dict,
    out: str | Path,
    steps: int | None = None,
    score_every: int = 100,
    accelerator=None,
    progress: bool = False,
) -> tuple[dict, np.ndarray] | None:
    """Train and score the run of that key (see KEY); write weights, record and checkpoint under the path `out`.

    score_every: updates between two scorings for the milestones. steps, accelerator, progress: see `train_circles`
    and `fit`.
    Returns the row of the run and its encoded grid [310, 2], or None in every process but the main one.
    A run that was stopped goes on from its checkpoint.
    """
    out = Path(out)
    milestones = Milestones(SQUARED_ERROR_LIMIT.get(key["recipe"], 5.0), out.with_suffix(".milestones"))
    model, history = train_circles(
        **key,
        steps=steps,
        checkpoint=out.with_suffix(".checkpoint"),
        callback=milestones,
        callback_every=score_every,
        progress=progress,
        accelerator=accelerator,
    )
    if accelerator is not None and not accelerator.is_main_process:
        return None
    if milestones.scores is None:  # a run resumed when nothing was left to train
        milestones(model, history)
    row = make_row(key, model, history, milestones)
    save_weights(model.cpu(), out)
    options = {**key, "threads": torch.get_num_threads(), **({"steps": steps} if steps else {})}
    options = " ".join(f"--{name} {value}" for name, value in options.items())
    save_record(out.with_suffix(".json"), row, history, f"python -m sbd_utils train runs/{out.name} {options}")
    return row, milestones.scores.grid


def make_row(key: dict, model: VAE, history: History, milestones: Milestones) -> dict:
    """One row of an evidence table: every score of one training run, and what it ran on."""
    scores, geometry = milestones.scores, milestones.scores.geometry
    return {
        **key,
        "channels": model.config["channels"],
        "updates": len(history.seconds),
        "recovered": scores.recovered(milestones.limit),
        "informative_latents": scores.informative,
        **{f"variance_{i + 1}": round(value, 4) for i, value in enumerate(scores.variances[:4])},
        "affine_r2": round(geometry.affine_r2, 5),
        "similarity_r2": round(geometry.similarity_r2, 5),
        "angle_mod_90": round(geometry.angle % 90, 1),
        "reflected": geometry.reflected,
        "squared_error": round(scores.squared_error, 3),
        "kl_nats": round(scores.kl, 3),
        "training_seconds": round(history.seconds[-1].item(), 1),
        **{f"seconds_to_{goal}": milestones.seconds.get(goal, "") for goal in Milestones.GOALS},
        "updates_to_recovered": milestones.updates.get("recovered", ""),
        "threads": torch.get_num_threads(),
        "machine": machine_kind(),
    }


def read_rows(path: str | Path) -> list[dict[str, str]]:
    """The rows of a table, all values as text; none if there is no file."""
    path = Path(path)
    return list(csv.DictReader(io.StringIO(path.read_text()))) if path.exists() else []


def add_row(path: str | Path, row: dict, grid: np.ndarray) -> None:
    """Put a row into the table at `path`, in the order of KEY, and its encoded grid [N, 2] into the file beside it.

    A row of the same key is replaced. Both files are replaced whole, the grids first: a row never lacks its grid.
    """
    grids = grids_path(path)
    tensors = load_tensors(grids)[0] if grids.exists() else {}
    tensors[row_name(row)] = torch.as_tensor(grid, dtype=torch.float32)
    save_tensors(grids, tensors, {"content": "encoded evaluation grids [310, 2], by recipe-decoder-seed"})
    rows = {row_name(r): r for r in read_rows(path)} | {row_name(row): row}
    ordered = sorted(rows.values(), key=lambda r: (r["recipe"], r["decoder"], int(r["seed"])))
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerows(ordered)
    write_atomically(path, text.getvalue().encode())


def row_name(row: dict) -> str:
    """The key of a row as one word: recipe-decoder-seed."""
    return "-".join(str(row[name]) for name in KEY)


def grids_path(table: str | Path) -> Path:
    """Where the encoded grids of a table are: beside it, `NAME_grids.safetensors` for `NAME.csv`."""
    table = Path(table)
    return table.with_name(f"{table.stem}_grids.safetensors")


def machine_kind() -> str:
    """The machine in words: cores, architecture, GPU if any, versions."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    bf16 = ", AVX-512 bf16" if torch.cpu.get_capabilities().get("avx512_bf16") else ""
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    return f"{os.cpu_count()} cores {platform.machine()}{bf16}{gpu}; {versions}"


def save_record(path: str | Path, row: dict, history: History, command: str) -> Path:
    """Write the record of a run as JSON: its row, the command, and at most 200 points of its history."""
    step = max(len(history.seconds) // 200, 1)
    kept = {
        name: [round(v, 4) for v in values[::step].tolist()]
        for name, values in history._asdict().items()
        if name != "kl"
    }
    kept["kl"] = [[round(v, 4) for v in values] for values in history.kl[::step].tolist()]
    record = {"command": command, "scores": row, "history_every": step, "history": kept}
    return write_atomically(path, (json.dumps(record, indent=1) + "\n").encode())


def publish(weights: str | Path, name: str, folder: str | Path, note: str) -> Path:
    """Copy the weights of a run and its record into `folder` as NAME, write a model card, and enter the manifest.

    weights: a file written by `save_weights` with its record (same stem, .json) beside it. note: why this run.
    The manifest is written last: until then the folder's old state is in force.
    """
    weights, folder = Path(weights), Path(folder)
    record = json.loads(weights.with_suffix(".json").read_text())
    copy = write_atomically(folder / f"{name}.safetensors", weights.read_bytes())
    write_atomically(folder / f"{name}.json", weights.with_suffix(".json").read_bytes())
    scores = "\n".join(f"| {key} | {value} |" for key, value in record["scores"].items() if value != "")
    card = (
        f"# {name}\n\n{note}\n\nMade by\n\n```\n{record['command']}\n```\n\n"
        f"and scored on the evaluation grid and 1,000 held-out circles. The loss over time is in `{name}.json`.\n\n"
        f"| score | value |\n|---|---|\n{scores}\n"
    )
    write_atomically(folder / f"{name}.md", card.encode())
    manifest = folder / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    entries[name] = {"sha256": sha256(copy), "bytes": copy.stat().st_size}
    return write_atomically(manifest, (json.dumps(entries, indent=2, sort_keys=True) + "\n").encode())
