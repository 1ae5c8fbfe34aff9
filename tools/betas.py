"""Three runs that differ in beta alone: 1, 8, and the schedule of the recipe `fast`.

    python -m tools.betas [--out FILE]

Writes the squared error and the KL of every latent, for every third update, as a table that
notebook 03 draws. All have seed 0 and fp32, and everything but beta from the recipe. They end where
whole images are asked for: notebook 03 trains the recipe to its end itself. Takes four minutes of
one core.
"""

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from sbd_utils import History, train_circles
from sbd_utils.evidence import EVIDENCE
from sbd_utils.files import write_text

TABLE = EVIDENCE / "three_betas.csv"
EVERY = 3
"""Updates from one row to the next."""
UPDATES = 585
"""Until whole images are asked for."""
RUNS: dict[str, dict[str, float]] = {"beta 1": {"beta": 1.0}, "beta 8": {"beta": 8.0}, "recipe": {}}
"""What replaces the recipe's own schedules, by name."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=TABLE, help="the table to write")
    out = parser.parse_args().out
    rows: list[dict[str, Any]] = []
    for name, options in RUNS.items():
        history = train(options)
        seconds = history.processor_seconds[-1].item()
        print(f"{name}: {UPDATES} updates in {seconds:.0f} processor-seconds", flush=True)
        rows += table(name, history)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    print(f"wrote {write_text(out, text.getvalue())}")


def train(options: dict[str, float], updates: int = UPDATES) -> History:
    """The first updates of the recipe, with other values for some of its schedules."""
    _, history = train_circles(
        "fast",
        precision="fp32",
        callback=lambda model, history: True,  # ends it
        callback_every=updates,
        progress=False,
        **options,
    )
    return history


def table(name: str, history: History) -> list[dict[str, Any]]:
    """Every third update of a run as a row; the errors and the KL with four digits."""
    rows = []
    for i in range(EVERY - 1, len(history.seconds), EVERY):
        row: dict[str, Any] = {"run": name, "update": i + 1}
        row["beta"] = f"{history.beta[i]:.4g}"
        row["block"] = int(history.pool[i])
        row["squared_error"] = f"{history.squared_error[i]:.4g}"
        for latent, kl in enumerate(history.kl[i].tolist()):
            row[f"kl_{latent}"] = f"{kl:.4f}"
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
