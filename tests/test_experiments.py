"""Recipes build what they name; evidence tables hold every run once; milestones note the first time."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sbd_utils.datasets import generate_spaced_coordinates

from sbd_utils import (
    VAE,
    Milestones,
    add_row,
    evaluate_circles,
    machine_kind,
    read_rows,
    train_circles,
)
from sbd_utils.analysis import GRID
from sbd_utils.evidence import SQUARED_ERROR_LIMIT, grids_path, row_name
from sbd_utils.files import load_tensors
from sbd_utils.metrics import fit_geometry
from sbd_utils.recipes import DECODERS, RECIPES
from sbd_utils.training import History

TABLES = sorted((Path(__file__).parents[1] / "pretrained" / "evidence").glob("*_circles.csv"))


def test_every_recipe_and_every_decoder_trains():
    for recipe in RECIPES:
        model, history = train_circles(recipe, steps=1, batch_size=2, pool=8, progress=False)
        assert len(history.seconds) == 1
        assert model.config["decoder"] == "sbd"
    for decoder in DECODERS:
        model, _ = train_circles("fast", decoder, steps=1, batch_size=2, pool=8, progress=False)
        assert model.config["channels"] == 32


def test_decoders_differ_in_what_their_names_say():
    grids = {
        name: VAE(**options).decoder.grid
        for name, options in DECODERS.items()
        if name.startswith("sbd")
    }
    assert [g.shape[1] for g in grids.values()] == [2, 1, 2, 2]
    corner = {
        name: grid[0, :, 0, -1].tolist() for name, grid in grids.items()
    }  # top right: x = 1, y = -1
    assert corner["sbd"] == [1, -1]
    assert corner["sbd-x"] == [1]
    assert corner["sbd-rotated"] == pytest.approx([2**0.5, 0], abs=1e-6)
    assert [name for name, grid in grids.items() if grid.requires_grad] == ["sbd-learned"]
    assert VAE(**DECODERS["deconv-xy"]).decoder.coordinates
    assert not VAE(**DECODERS["deconv"]).decoder.coordinates


@pytest.mark.parametrize(
    ("recipe", "decoder", "message"),
    [("slow", "sbd", "recipe is 'slow'"), ("fast", "sdb", "'sdb'")],
)
def test_unknown_names_are_refused(recipe, decoder, message):
    with pytest.raises(ValueError, match=message):
        train_circles(recipe, decoder)


def test_the_seed_sets_weights_and_data():
    def first(seed):
        model, history = train_circles(
            "fast", seed=seed, steps=1, batch_size=2, pool=8, progress=False
        )
        return model.decoder.convs[0].weight.sum().item(), history.squared_error[0].item()

    assert first(1) == first(1)
    assert first(1) != first(2)


def row(seed, value):
    return {"recipe": "fast", "decoder": "sbd", "seed": seed, "value": value}


def test_rows_are_ordered_and_replaced_and_keep_their_grids(tmp_path):
    table = tmp_path / "table.csv"
    assert read_rows(table) == []
    for seed, value in [(10, "a"), (2, "b"), (10, "c")]:
        add_row(table, row(seed, value), np.full((310, 2), seed))
    assert [(r["seed"], r["value"]) for r in read_rows(table)] == [("2", "b"), ("10", "c")]
    grids = load_tensors(grids_path(table))[0]
    assert sorted(grids) == ["fast-sbd-10", "fast-sbd-2"]
    assert (grids["fast-sbd-10"] == 10).all()


def made_scores(**changes):
    """Scores that meet every goal, with changes."""
    torch.manual_seed(0)
    scores = evaluate_circles(VAE(channels=4), num_images=4)
    xy = np.random.default_rng(0).random((310, 2))
    good = dict(
        variances=[0.01, 0.01] + [0.9] * 8, geometry=fit_geometry(xy, xy), squared_error=3.0
    )
    return scores._replace(**{**good, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"variances": [0.01, 0.2] + [0.9] * 8},
        {"variances": [0.01, 0.01, 0.6] + [0.9] * 7},
        {"squared_error": 5.1},
        {
            "geometry": fit_geometry(
                np.random.default_rng(1).random((99, 2)), np.random.default_rng(2).random((99, 2))
            )
        },
    ],
)
def test_recovered_asks_for_every_part(changes):
    assert made_scores().recovered()
    assert not made_scores(**changes).recovered()


def test_milestones_note_the_first_time_and_survive_a_restart(tmp_path, monkeypatch):
    path = tmp_path / "run.milestones"
    model = VAE(im_size=64, channels=4).train()
    ticks = [("bad", {"squared_error": 9.0}), ("good", {}), ("good", {})]
    milestones = Milestones(5.0, path)
    for step, (_, changes) in enumerate(ticks, start=1):
        monkeypatch.setattr(
            "sbd_utils.evidence.evaluate_circles", lambda model, c=changes: made_scores(**c)
        )
        history = History(*[torch.arange(step * 10, dtype=torch.float32)] * 5)
        milestones(model, history)
    assert model.training
    assert milestones.updates["affine_095"] == 10
    assert milestones.updates["recovered"] == 20
    assert milestones.seconds["recovered"] == 19.0
    assert (
        Milestones(5.0, path).updates
        == milestones.updates
        == json.loads(path.read_text())["updates"]
    )


def test_machine_kind_names_no_host():
    assert "cores" in machine_kind()
    assert "torch" in machine_kind()


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_the_committed_scores_follow_from_the_committed_grids(table):
    rows, grids = read_rows(table), load_tensors(grids_path(table))[0]
    assert rows
    assert {row_name(row) for row in rows} == set(grids)
    xx, yy, _ = generate_spaced_coordinates(**GRID)
    for row in rows:
        fit = fit_geometry(np.stack([xx, yy], 1), grids[row_name(row)].numpy())
        assert fit.affine_r2 == pytest.approx(float(row["affine_r2"]), abs=2e-5)
        assert fit.similarity_r2 == pytest.approx(float(row["similarity_r2"]), abs=2e-5)
        recovered = (
            float(row["variance_2"]) < 0.1
            and float(row["variance_3"]) > 0.7
            and min(fit.affine_r2, fit.similarity_r2) >= 0.99
            and float(row["squared_error"]) <= SQUARED_ERROR_LIMIT.get(row["recipe"], 5.0)
        )
        assert row["recovered"] == str(recovered)


def test_the_confirming_seeds_took_no_part_elsewhere():
    seeds = {table.stem: {row["seed"] for row in read_rows(table)} for table in TABLES}
    assert len(seeds["confirmation_circles"]) == 10
    assert not any(
        seeds["confirmation_circles"] & others
        for stem, others in seeds.items()
        if stem[:4] != "conf"
    )
