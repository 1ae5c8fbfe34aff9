"""Our scores beside those of `disent` on the same arrays.

    python -m tools.score_agreement DISENT [--out FILE]

DISENT is where the package `disent` is: a folder, or the wheel of version 0.8.0 as `pip download
--no-deps` leaves it. Its metrics, which follow google-research/disentanglement_lib line by line,
are called as they are; of what else the package needs, nothing is installed. Writes the table that
says where the definitions agree and by how much they do not.
"""

import argparse
import csv
import importlib
import io
import sys
import types
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sbd_utils import dci, factor_vae_score, mig, sap, turn_pairs
from sbd_utils.evidence import EVIDENCE, software_kind
from sbd_utils.files import write_text
from sbd_utils.metrics.base import standardized, train_count

TABLE = EVIDENCE / "score_agreement.csv"
SAMPLES = 3000
VALUES = (4, 3, 6)
"""Of each factor."""
VOTES = dict(train_votes=10_000, test_votes=5000)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("disent", type=Path, help="the folder or wheel of disent 0.8.0")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table to write")
    options = parser.parse_args()
    theirs = load(options.disent)
    rows = []
    for name, (codes, factors) in arrays().items():
        for score, (ours, other) in compare(theirs, codes, factors).items():
            print(f"{name:>10} {score:>28}: {ours:.6f}, disent {other:.6f}", flush=True)
            row = {"code": name, "score": score, "ours": f"{ours:.7f}", "disent": f"{other:.7f}"}
            row |= {"difference": f"{ours - other:.7f}", "samples": SAMPLES}
            rows.append(row | {"software": software_kind()})
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    print(f"wrote {write_text(options.out, text.getvalue())}")


def arrays() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Codes and discrete factors by name: ideal, noisy, turned, and one with idle latents."""
    generator = np.random.default_rng(0)
    columns = [generator.integers(count, size=SAMPLES) for count in VALUES]
    factors = np.stack(columns, 1).astype(float)
    ideal = standardized(factors)
    noise = generator.normal(size=(SAMPLES, 5))
    mixed = ideal @ generator.normal(size=(3, 5))  # [SAMPLES, 5]
    return {
        "ideal": (ideal, factors),
        "noisy": (ideal + 0.5 * noise[:, :3], factors),
        "turned": (turn_pairs(ideal, 45) + 0.1 * noise[:, :3], factors),
        "mixed": (mixed + 0.5 * noise, factors),
        "idle": (np.hstack([ideal + 0.3 * noise[:, :3], noise[:, 3:]]), factors),
    }


def compare(
    theirs: SimpleNamespace, codes: np.ndarray, factors: np.ndarray
) -> dict[str, tuple[float, float]]:
    """Ours and theirs by the name of the score; both fit to the same two thirds."""
    count = train_count(len(codes))
    scaled = standardized(codes)  # as `sap` does
    parts = [scaled[:count].T, factors[:count].T, scaled[count:].T, factors[count:].T]
    raw = [codes[:count].T, factors[:count].T, codes[count:].T, factors[count:].T]
    three, other = dci(codes, factors), theirs.dci(*raw)
    found = {
        "mig": (mig(codes, factors).value, theirs.mig(codes.T, factors.T)["mig.discrete_score"]),
        "sap": (sap(codes, factors).value, theirs.sap(*parts, False)["sap.score"]),
        "sap, codes not standardized": (
            sap(codes, factors).value,
            theirs.sap(*raw, False)["sap.score"],
        ),
        "sap, continuous": (
            sap(codes, factors, continuous=True).value,
            theirs.sap(codes.T, factors.T, codes.T, factors.T, True)["sap.score"],
        ),
        "disentanglement": (three.disentanglement.value, other["dci.disentanglement"]),
        "completeness": (three.completeness.value, other["dci.completeness"]),
        "informativeness": (three.informativeness.value, other["dci.informativeness_test"]),
        "factor_vae": (
            factor_vae_score(codes, factors, **VOTES).value,
            theirs.factor_vae(codes, factors),
        ),
    }
    return {name: (float(a), float(b)) for name, (a, b) in found.items()}


def load(place: Path) -> SimpleNamespace:
    """The functions of disent's metrics.

    Its modules import data sets and helpers that the functions do not need for arrays; empty
    modules stand in for them while they load.
    """
    sys.path.insert(0, str(place.resolve()))
    names = ("disent", "disent.metrics", "disent.dataset", "disent.util", "disent.util.function")
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    root = f"{place.resolve()}/disent"
    sys.modules["disent"].__path__ = [root]
    sys.modules["disent.metrics"].__path__ = [f"{root}/metrics"]
    sys.modules["disent.dataset"].DisentDataset = object  # type: ignore[attr-defined]
    sys.modules["disent.util"].to_numpy = np.asarray  # type: ignore[attr-defined]
    sys.modules["disent.util.function"].wrapped_partial = _partial  # type: ignore[attr-defined]

    def module(name: str) -> Any:
        return importlib.import_module(f"disent.metrics.{name}")

    return SimpleNamespace(
        mig=module("_mig")._compute_mig,
        sap=module("_sap")._compute_sap,
        dci=module("_dci")._compute_dci,
        factor_vae=_over_a_table(module("_factor_vae").metric_factor_vae),
    )


def _partial(function: Callable, **options: Any) -> Callable:
    return lambda *args, **more: function(*args, **{**options, **more})


def _over_a_table(score: Callable) -> Callable[[np.ndarray, np.ndarray], float]:
    """Disent's FactorVAE score of arrays: an image is the number of a row, its code the row.

    It asks for fresh images with given factors; these are rows drawn from those that have them.
    """

    def of_arrays(codes: np.ndarray, factors: np.ndarray) -> float:
        np.random.seed(0)  # noqa: NPY002  disent draws from it
        by_factors: dict[tuple, list[int]] = {}
        for number, row in enumerate(factors):
            by_factors.setdefault(tuple(row), []).append(number)

        def rows_with(wanted: np.ndarray) -> np.ndarray:
            found = [np.random.choice(by_factors[tuple(row)]) for row in wanted]  # noqa: NPY002
            return np.array(found)

        def some(count: int, mode: str = "") -> np.ndarray:
            return np.random.randint(len(codes), size=count)  # noqa: NPY002

        sampler = SimpleNamespace(
            num_factors=factors.shape[1], sample_factors=lambda count: factors[some(count)].copy()
        )
        data = SimpleNamespace(
            gt_data=sampler,
            dataset_sample_batch=some,
            dataset_batch_from_factors=lambda wanted, mode: rows_with(wanted),
        )
        found = score(data, lambda numbers: codes[numbers], num_train=2000, num_eval=2000)
        return found["factor_vae.eval_accuracy"]

    return of_arrays


if __name__ == "__main__":
    main()
