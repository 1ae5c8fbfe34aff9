"""Keep the weights of a table's runs beside it, and the scores that older rows lack.

    python -m tools.kept_weights TABLE.csv FOLDER [--recipes fast] [--scores-only]

FOLDER is that of `python -m sbd_utils sweep`: it has DATASET-RECIPE-DECODER-SEED.safetensors. The
weights are written in half precision, and the scores of what is kept are printed beside those of
the table. A column of scores that a row lacks, because it is older than the column, is filled in
from the weights in full precision; the other columns of the row stay as they are.
"""

import argparse
import dataclasses
import sys
from pathlib import Path

from sbd_utils.analysis import evaluate_model
from sbd_utils.checkpoint import load_weights
from sbd_utils.data import make_stream
from sbd_utils.evidence import RunRow, read_rows, write_rows
from sbd_utils.experiments import keep_weights, load_run


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status."""
    description = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m tools.kept_weights", description=description)
    parser.add_argument("table", type=Path, help="the .csv file")
    parser.add_argument("folder", type=Path, help="where the runs' weights are")
    parser.add_argument("--recipes", nargs="+", default=None, help="whose weights to keep")
    parser.add_argument("--scores-only", action="store_true", help="keep no weights")
    options = parser.parse_args(arguments)
    rows = read_rows(options.table)
    models = {row.name: load_weights(options.folder / f"{row.name}.safetensors") for row in rows}
    filled = [with_probes(row, models[row.name].eval()) for row in rows]
    write_rows(options.table, filled)
    if options.scores_only:
        return 0
    chosen = [row for row in filled if options.recipes is None or row.recipe in options.recipes]
    keep_weights(options.table, {row.name: models[row.name] for row in chosen})
    for row in chosen:
        compare(row, options.table)
    return 0


def with_probes(row: RunRow, model: object) -> RunRow:
    """The row with the R² of both probes, if it lacks them."""
    if row.linear_r2 is not None:
        return row
    scores = evaluate_model(model, make_stream(row.dataset, im_size=model.config["im_size"]))
    assert scores.linear_r2 is not None  # there are enough images
    assert scores.neighbor_r2 is not None
    linear, neighbor = round(scores.linear_r2, 5), round(scores.neighbor_r2, 5)
    return dataclasses.replace(row, linear_r2=linear, neighbor_r2=neighbor)


def compare(row: RunRow, table: Path) -> None:
    """Print the scores of the weights that are kept beside those of the table."""
    kept = load_run(table.stem, row, table.parent)
    scores = evaluate_model(kept, make_stream(row.dataset, im_size=kept.config["im_size"]))
    r2, error = scores.geometry.similarity_r2, scores.squared_error
    print(f"{row.name}: similarity R² {r2:.5f} (table {row.similarity_r2:.5f}),", end=" ")
    print(f"squared error {error:.3f} (table {row.squared_error:.3f})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
