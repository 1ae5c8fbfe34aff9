"""Score the codes of trained networks: MIG, SAP, DCI and the FactorVAE score, a row for each run.

    python -m tools.scores TABLE.csv SOURCE [SOURCE ...] [--samples 10000] [--dataset NAME ...]

A SOURCE is a folder of runs of `python -m sbd_utils sweep` (NAME.safetensors, each with its record
NAME.json beside it; `pretrained` is one), or a table with weights kept beside it
(`python -m tools.kept_weights`). Runs that TABLE.csv has already are left alone: delete a row to
make it anew. The table is written whole after every run, so that the command can be stopped, and
goes on where it was.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from sbd_utils.analysis import evaluate_model
from sbd_utils.checkpoint import load_weights
from sbd_utils.data import STREAMS, make_stream
from sbd_utils.evidence import (
    KEY,
    RunRow,
    ScoreRow,
    processor_kind,
    read_rows,
    software_kind,
    weights_path,
    write_rows,
)
from sbd_utils.experiments import load_run
from sbd_utils.files import load_tensors, locked, read_text
from sbd_utils.metrics import fit_geometry, latent_direction, mig, turn_pairs
from sbd_utils.scoring import SAMPLES, encode_samples, score_code

DIGITS = 5
"""Of a score: more than one sample in 10,000 moves."""


class Run(NamedTuple):
    """A trained network that can be had."""

    key: tuple[str, str, str, int, str]
    """As `ScoreRow.key`."""
    weights: str
    """As in `ScoreRow`."""
    source: Path
    row: RunRow | None
    """Of the table, where the source is one."""

    def load(self) -> Any:
        """The model in eval mode, float32."""
        if self.row is not None:
            return load_run(self.source.stem, self.row, self.source.parent)
        return load_weights(self.source).eval()


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.scores", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("table", type=Path, help="the .csv file of scores to write")
    parser.add_argument("sources", type=Path, nargs="+", help="folders of runs, or tables of them")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="images that are encoded")
    parser.add_argument("--dataset", nargs="+", default=list(STREAMS), help="whose runs to score")
    options = parser.parse_args(arguments)
    done = {row.key for row in read_rows(options.table, ScoreRow)}
    runs = {run.key: run for source in options.sources for run in runs_of(source)}
    todo = [run for key, run in runs.items() if key not in done and key[0] in options.dataset]
    print(f"{len(runs)} runs found, {len(todo)} to score", flush=True)
    for run in tqdm(todo, desc="scoring", unit="run"):
        row = score_run(run, options.samples)
        with locked(options.table):
            rows = {old.key: old for old in read_rows(options.table, ScoreRow)} | {row.key: row}
            write_rows(options.table, [rows[key] for key in sorted(rows)])
    return 0


def runs_of(source: Path) -> Iterator[Run]:
    """The runs of a folder, by their records, or those of a table whose weights are kept.

    Raises:
        FileNotFoundError: There is no such folder or table, or the table keeps no weights.
    """
    if source.suffix == ".csv":
        yield from _runs_of_table(source)
        return
    if not source.is_dir():
        raise FileNotFoundError(f"there is no folder {source}")
    for record in sorted(source.glob("*.json")):
        weights = record.with_suffix(".safetensors")
        if weights.exists():
            scores = json.loads(read_text(record))["scores"]
            name, precision = [scores[part] for part in KEY], scores["precision"]
            yield Run((*name, precision), "fp32", weights, None)


def _runs_of_table(table: Path) -> Iterator[Run]:
    kept = {name.partition("/")[0] for name in load_tensors(weights_path(table))[0]}
    for row in read_rows(table):
        if row.name in kept:
            yield Run((*row.key, row.precision), "fp16", table, row)


def score_run(run: Run, samples: int = SAMPLES) -> ScoreRow:
    """The row of one run.

    Args:
        run: The network.
        samples: Images that are drawn anew and encoded.
    """
    start = time.process_time()
    model = run.load()
    stream = make_stream(run.key[0], im_size=model.config["im_size"])
    basics = evaluate_model(model, stream)
    codes, factors = encode_samples(model, stream, samples)
    place = factors[:, list(stream.plane)]
    varying = [number for number, factor in enumerate(stream.factors) if factor.varies]
    quantities = [i for i, number in enumerate(varying) if not stream.factors[number].levels]
    found = score_code(codes, factors[:, varying], continuous=quantities)
    columns: dict[str, float] = {}
    for name, score in found._asdict().items():
        columns[name] = round(score.value, DIGITS)
        columns[f"{name}_ceiling"] = round(score.ceiling, DIGITS)
        columns[f"{name}_turned"] = round(score.turned, DIGITS)
    straightened = turned_upright(codes, place, basics.pair)
    upright = mig(straightened, factors[:, varying], continuous=quantities)
    pair = codes[:, list(basics.pair)]
    dataset, recipe, decoder, seed, precision = run.key
    assert basics.linear_r2 is not None  # there are enough images
    return ScoreRow(
        dataset=dataset,
        recipe=recipe,
        decoder=decoder,
        seed=seed,
        precision=precision,
        weights=run.weights,
        channels=model.config["channels"],
        samples=samples,
        informative_latents=basics.informative,
        affine_r2=round(basics.geometry.affine_r2, DIGITS),
        similarity_r2=round(basics.geometry.similarity_r2, DIGITS),
        direction=round(latent_direction(place, pair), 1),
        linear_r2=round(basics.linear_r2, DIGITS),
        **columns,
        mig_upright=round(upright.value, DIGITS),
        processor_seconds=round(time.process_time() - start, 1),
        processor=processor_kind(),
        software=software_kind(),
    )


def turned_upright(codes: np.ndarray, place: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """Codes [N, D] with a pair of latents turned back by the rotation of its best similarity.

    The positions [N, 2] are told: no score of an unsupervised code, but what it would be were the
    turn no matter of luck.
    """
    chosen = list(pair)
    upright = codes.copy()
    angle = fit_geometry(place, codes[:, chosen]).angle
    upright[:, chosen] = turn_pairs(codes[:, chosen], -angle)
    return upright


if __name__ == "__main__":
    sys.exit(main())
