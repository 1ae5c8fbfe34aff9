"""The table of three runs that differ in beta: it is what its command makes, and holds what is said of it."""

import csv

import numpy as np
import pytest

from sbd_utils import RECIPES
from tools.betas import RUNS, TABLE, UPDATES, table, train


def committed() -> dict[str, list[dict[str, str]]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row for row in rows if row["run"] == name] for name in RUNS}


ROWS = committed()


@pytest.mark.parametrize("name", list(RUNS))
def test_the_command_makes_the_committed_rows(name):
    """The first two: as far as a test can wait."""
    made = table(name, train(RUNS[name], updates=6))[:2]
    for row, kept in zip(made, ROWS[name], strict=False):
        assert row.keys() == kept.keys()
        for column in row.keys() - {"run"}:
            assert float(row[column]) == pytest.approx(float(kept[column]), rel=1e-2, abs=2e-4)


@pytest.mark.parametrize("name", list(RUNS))
def test_every_third_update_is_there_with_the_schedules_of_its_run(name):
    assert [int(row["update"]) for row in ROWS[name]] == list(range(3, UPDATES + 1, 3))
    recipe = RECIPES["fast"]
    for row in ROWS[name]:
        progress = (int(row["update"]) - 1) / recipe.steps
        beta = RUNS[name].get("beta", recipe.fit["beta"](progress))
        assert float(row["beta"]) == pytest.approx(beta, rel=1e-3)
        assert int(row["block"]) == recipe.fit["pool"](progress)


def test_latents_fall_asleep_at_beta_8_later_than_in_the_recipe_and_never_at_beta_1():
    first = {}
    for name, rows in ROWS.items():
        kl = np.array([[float(row[f"kl_{latent}"]) for latent in range(10)] for row in rows])
        awake = (kl >= 0.1).sum(1)
        assert awake.max() == 10
        two = np.flatnonzero(awake == 2)
        two = two[two > awake.argmax()]
        first[name] = int(rows[two[0]]["update"]) if len(two) else None
    assert first["beta 1"] is None
    assert 20 <= first["beta 8"] - first["recipe"] <= 60
