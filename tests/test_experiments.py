"""Recipes build what they name; evidence tables hold every run once; milestones note the first time."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sbd_utils import (
    VAE,
    Milestones,
    add_row,
    evaluate_circles,
    evaluate_model,
    machine_kind,
    read_rows,
    save_weights,
    train_circles,
)
from sbd_utils.data import make_stream
from sbd_utils.evidence import (
    CurveRow,
    RunRow,
    curves_path,
    grids_path,
    read_curves,
    read_evidence,
    weights_path,
    write_rows,
)
from sbd_utils.experiments import keep_weights, load_run, run_experiment
from sbd_utils.files import load_tensors
from sbd_utils.metrics import fit_geometry
from sbd_utils.recipes import RECIPES, VARIANTS
from sbd_utils.training import History
from tools import kept_weights

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "pretrained" / "evidence"
OF_RUNS = {*EVIDENCE.glob("*_circles*.csv"), *EVIDENCE.glob("sprite*.csv")}
CURVES = sorted(path for path in OF_RUNS if path.stem.endswith("_curves"))
SCORES = EVIDENCE / "scores_circles.csv"  # of codes, not of runs: see test_scoring
TABLES = sorted(OF_RUNS - {*CURVES, SCORES})


def test_every_recipe_and_every_decoder_trains():
    for recipe in RECIPES:
        model, history = train_circles(recipe, steps=1, batch_size=2, pool=8, progress=False)
        assert len(history.seconds) == 1
        assert model.config["decoder"] == "sbd"
    for decoder in VARIANTS:
        model, _ = train_circles("fast", decoder, steps=1, batch_size=2, pool=8, progress=False)
        assert model.config["channels"] == 32


def test_decoders_differ_in_what_their_names_say():
    grids = {
        name: VAE(**options).decoder.grid
        for name, options in VARIANTS.items()
        if name.startswith("sbd")
    }
    assert [g.shape[1] for g in grids.values()] == [2, 1, 2, 2, 2]
    corner = {
        name: grid[0, :, 0, -1].tolist() for name, grid in grids.items()
    }  # top right: x = 1, y = -1
    assert corner["sbd"] == [1, -1]
    assert corner["sbd-x"] == [1]
    assert corner["sbd-rotated"] == pytest.approx([2**0.5, 0], abs=1e-6)
    assert corner["sbd-warped"] == [1, -1]  # where else it differs, test_vae tells
    assert [name for name, grid in grids.items() if grid.requires_grad] == ["sbd-learned"]
    assert VAE(**VARIANTS["upsample-xy"]).decoder.coordinates
    assert not VAE(**VARIANTS["upsample"]).decoder.coordinates
    assert VAE(**VARIANTS["deconv-xy"]).decoder.coordinates
    assert not VAE(**VARIANTS["deconv"]).decoder.coordinates


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


def row(seed, **changes):
    """A row with every column that must be given."""
    return RunRow(
        **{
            **dict(dataset="circles", recipe="fast", decoder="sbd", seed=seed, channels=32),
            **dict(updates=3, recovered=True, informative_latents=2, variance_1=0.1),
            **dict(variance_2=0.25, affine_r2=0.5, similarity_r2=0.5, angle_mod_90=1.0),
            **dict(reflected=False, squared_error=2.0, kl_nats=9.0, training_seconds=1.0),
            **dict(threads=1, precision="fp32", processor="2 cores, or so", software="none"),
            **changes,
        }
    )


def test_rows_are_ordered_and_replaced_and_keep_their_grids(tmp_path):
    table = tmp_path / "table.csv"
    assert read_rows(table) == []
    for seed, updates in [(10, 1), (2, 2), (10, 3)]:
        add_row(table, row(seed, updates=updates), np.full((310, 2), seed))
    add_row(table, row(2, dataset="boxes"), np.zeros((310, 2)))
    assert read_rows(table) == [row(2, dataset="boxes"), row(2, updates=2), row(10, updates=3)]
    grids = load_tensors(grids_path(table))[0]
    assert sorted(grids) == ["boxes-fast-sbd-2", "circles-fast-sbd-10", "circles-fast-sbd-2"]
    assert (grids["circles-fast-sbd-10"] == 10).all()
    rows, arrays = read_evidence("table", tmp_path)
    assert {r.name for r in rows} == set(arrays)
    assert arrays["circles-fast-sbd-2"].shape == (310, 2)


def test_values_come_back_with_their_types(tmp_path):
    made = row(3, variance_3=None, seconds_to_recovered=1.5, updates_to_recovered=None)
    (back,) = read_rows(write_rows(tmp_path / "t.csv", [made]))
    assert back == made
    assert [type(v) for v in (back.seed, back.recovered, back.squared_error)] == [int, bool, float]
    assert (back.variance_3, back.seconds_to_recovered) == (None, 1.5)


def text_with(change):
    text = (TABLES[0]).read_text(encoding="utf-8")
    header, first, *_ = text.splitlines()
    return "\n".join(change(header, first)) + "\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, f: [h + ",color", f + ",red"], "unknown column color"),
        (lambda h, f: [h.replace("recipe,", "recipes,"), f], "unknown column recipes"),
        (lambda h, f: [h.split(",", 1)[1], f.split(",", 1)[1]], "no column dataset"),
        (lambda h, f: [h, f.replace("False", "no", 1)], "line 2: recovered is 'no'"),
        (lambda h, f: [h, f.replace(",32,", ",wide,", 1)], "channels is 'wide'"),
        (lambda h, f: [h + ",seed", f + ",3"], "twice the column seed"),
        (lambda h, f: [h, f + ",more"], r"line 2: it must have \d+ cells"),
        (lambda h, f: [h, ",".join(f.split(",")[:5])], r"line 2: it must have \d+ cells"),
    ],
)
def test_a_table_of_another_kind_is_refused_and_nothing_is_written(change, message, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(text_with(change), encoding="utf-8")
    before = table.read_bytes()
    with pytest.raises(ValueError, match=message):
        add_row(table, row(1), np.zeros((310, 2)))
    assert table.read_bytes() == before
    assert not grids_path(table).exists()


def test_a_table_without_a_newer_column_is_read_and_gets_it(tmp_path):
    table = tmp_path / "table.csv"
    write_rows(table, [row(1), row(2)])
    lines = [line.split(",") for line in table.read_text(encoding="utf-8").splitlines()]
    column = lines[0].index("processor_seconds")
    cut = [",".join(line[:column] + line[column + 1 :]) for line in lines]
    table.write_text("\n".join(cut) + "\n", encoding="utf-8")
    assert read_rows(table) == [row(1), row(2)]
    add_row(table, row(3, processor_seconds=2.5), np.zeros((310, 2)))
    assert [r.processor_seconds for r in read_rows(table)] == [None, None, 2.5]


ADDER = """
import sys
import numpy as np
from sbd_utils import add_row
from tests.test_experiments import row
for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    add_row(sys.argv[1], row(seed), np.full((310, 2), seed))
"""


def test_two_processes_add_to_one_table_and_lose_nothing(tmp_path):
    table = tmp_path / "table.csv"
    line = [sys.executable, "-c", ADDER, str(table)]
    adders = [subprocess.Popen([*line, first], cwd=ROOT) for first in ("0", "100")]
    assert [adder.wait(600) for adder in adders] == [0, 0]
    assert [r.seed for r in read_rows(table)] == [*range(20), *range(100, 120)]
    grids = load_tensors(grids_path(table))[0]
    assert all((grids[r.name] == r.seed).all() for r in read_rows(table))


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
    path = tmp_path / "run.milestones.json"
    model = VAE(im_size=64, channels=4).train()
    ticks = [("bad", {"squared_error": 9.0}), ("good", {}), ("good", {})]
    milestones = Milestones(5.0, path)
    for step, (_, changes) in enumerate(ticks, start=1):
        monkeypatch.setattr(
            "sbd_utils.experiments.evaluate_model",
            lambda model, source, c=changes: made_scores(**c),
        )
        seconds = torch.arange(step * 10, dtype=torch.float64)
        milestones(model, History({}, {}, seconds, seconds))
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
    rows, grids = read_evidence(table.stem)
    assert rows
    assert {row.name for row in rows} == set(grids)
    for row in rows:
        source = make_stream(row.dataset, im_size=RECIPES[row.recipe].im_size)
        xx, yy, _ = source.lines()
        held = source.holds(source.place(xx, yy)).numpy()
        fit = fit_geometry(np.stack([xx, yy], 1)[held], grids[row.name][held])
        assert fit.affine_r2 == pytest.approx(row.affine_r2, abs=2e-5)
        assert fit.similarity_r2 == pytest.approx(row.similarity_r2, abs=2e-5)
        limit = {"wide": 3.0}.get(row.recipe, 5.0)
        assert RECIPES[row.recipe].squared_error_limit == limit
        two_latents = row.variance_2 < 0.1 and row.variance_3 > 0.7
        alone = row.pair_share >= 0.95 if source.free else two_latents
        straight = min(fit.affine_r2, fit.similarity_r2) >= 0.99
        assert row.recovered == (alone and straight and row.squared_error <= limit)


def test_precision_and_processor_of_the_committed_rows_agree():
    """A processor with bf16 was used with it by the recipes' 'auto'; all sprites are by `--precision fp32`."""
    for table in TABLES:
        for row in read_rows(table):
            capable = "bf16" in row.processor and not table.stem.startswith("sprite")
            assert row.precision == ("bf16" if capable else "fp32")


def test_the_confirming_seeds_took_no_part_elsewhere():
    seeds = {table.stem: {row.seed for row in read_rows(table)} for table in TABLES}
    assert len(seeds["confirmation_circles"]) == 10
    others = [found for stem, found in seeds.items() if stem != "confirmation_circles"]
    assert not any(seeds["confirmation_circles"] & found for found in others)


def test_a_run_is_scored_recorded_and_told_how_to_make_again(tmp_path):
    key = dict(dataset="circles", recipe="fast", decoder="deconv", seed=3)
    out = tmp_path / "run.v1"
    row, grid, curve = run_experiment(key, out, steps=2, score_every=1, precision="fp32")
    assert row.key == ("circles", "fast", "deconv", 3)
    assert (row.updates, row.precision, row.channels) == (2, "fp32", 32)
    assert 0 < row.processor_seconds < 60
    assert grid.shape == (310, 2)
    assert [point.updates for point in curve] == [1, 2]
    last, columns = curve[-1], [f.name for f in dataclasses.fields(CurveRow)]
    assert {n: getattr(last, n) for n in columns} == {n: getattr(row, n) for n in columns}
    names = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert names == {
        "run.v1",
        *(f"run.v1.{end}" for end in ("checkpoint", "json", "milestones.json")),
    }
    record = json.loads((tmp_path / "run.v1.json").read_text(encoding="utf-8"))
    assert "--recipe fast --decoder deconv --seed 3" in record["command"]
    assert "--steps 2 --precision fp32" in record["command"]
    assert set(record["history"]) == {
        "squared_error",
        "kl",
        "lr",
        "beta",
        "pool",
        "w",
        "batch_size",
        "tc",
        "seconds",
    }
    again = run_experiment(key, out, steps=2, score_every=1, precision="fp32")
    assert again.row == row  # nothing was trained: not even the time differs
    assert again.curve == curve


def test_a_budget_ends_a_run_with_the_scoring_after_it_is_spent(tmp_path):
    key = dict(dataset="rectangle", recipe="plain-beta4", decoder="deconv", seed=0)
    out = tmp_path / "run"
    row, _, curve = run_experiment(key, out, score_every=1, processor_seconds=1e-6)
    assert row.updates <= 2  # the first scoring ends it; `fit` may make one update more
    assert row.updates == curve[-1].updates
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert "--dataset rectangle --recipe plain-beta4" in record["command"]
    assert "--processor-seconds 1e-06" in record["command"]


def test_a_curve_goes_beside_its_table_and_is_replaced_with_its_run(tmp_path):
    table = tmp_path / "table.csv"
    scores = dict(informative_latents=2, affine_r2=0.5, similarity_r2=0.5, angle_mod_90=1.0)
    scores |= dict(squared_error=2.0, kl_nats=9.0, linear_r2=None, neighbor_r2=0.5)

    def point(seed, updates):
        key = dict(dataset="circles", recipe="fast", decoder="sbd", seed=seed)
        return CurveRow(**key, **scores, updates=updates, processor_seconds=0.5 * updates)

    grid = np.zeros((310, 2))
    assert read_curves("table", tmp_path) == []
    add_row(table, row(10), grid)
    assert not curves_path(table).exists()
    add_row(table, row(10), grid, [point(10, 5), point(10, 10)])
    add_row(table, row(2), grid, [point(2, 7)])
    add_row(table, row(10), grid, [point(10, 6)])
    assert read_curves("table", tmp_path) == [point(2, 7), point(10, 6)]


@pytest.mark.parametrize("curves", CURVES, ids=lambda path: path.stem)
def test_a_committed_curve_ends_where_its_row_is(curves):
    stem = curves.stem.removesuffix("_curves")
    rows = {row.key: row for row in read_rows(EVIDENCE / f"{stem}.csv")}
    ends = {point.key: point for point in read_curves(stem)}  # ordered by updates: the last stays
    assert ends
    assert set(ends) <= set(rows)
    for key, end in ends.items():
        found = [(n, getattr(end, n), getattr(rows[key], n)) for n in ("updates", "squared_error")]
        assert all(a == b for _, a, b in found), (key, found)


def test_weights_are_kept_in_half_precision_and_come_back(tmp_path):
    table, kept_row = tmp_path / "table.csv", row(3, decoder="sbd-warped", channels=4)
    model = VAE(**VARIANTS["sbd-warped"], channels=4)
    keep_weights(table, {kept_row.name: model})
    again = load_run("table", kept_row, tmp_path)
    assert not again.training
    for name, value in again.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, model.state_dict()[name].half().float())
    assert torch.equal(again.decoder.grid, model.decoder.grid)
    with pytest.raises(KeyError, match="none of circles-fast-sbd-4"):
        load_run("table", row(4), tmp_path)
    with pytest.raises(FileNotFoundError):
        load_run("other", kept_row, tmp_path)


def test_older_rows_get_their_probes_from_the_weights(tmp_path, capsys):
    table = tmp_path / "table.csv"
    rows = [row(1, channels=2), row(2, channels=2, recipe="wide", linear_r2=0.5, neighbor_r2=0.25)]
    write_rows(table, rows)
    for old in rows:
        torch.manual_seed(old.seed)
        save_weights(VAE(channels=2), tmp_path / f"{old.name}.safetensors")
    assert kept_weights.main([str(table), str(tmp_path), "--recipes", "fast"]) == 0
    first, second = read_rows(table)
    torch.manual_seed(1)
    scores = evaluate_circles(VAE(channels=2).eval())
    probes = scores.linear_r2, scores.neighbor_r2
    assert (first.linear_r2, first.neighbor_r2) == pytest.approx(probes, abs=1e-5)
    assert second == rows[1]  # it has them
    kept = load_tensors(weights_path(table))[0]
    assert {name.partition("/")[0] for name in kept} == {"circles-fast-sbd-1"}
    assert "circles-fast-sbd-1: similarity R²" in capsys.readouterr().out


KEPT = sorted(EVIDENCE.glob("*_weights.safetensors"))


@pytest.mark.parametrize("weights", KEPT, ids=lambda path: path.stem)
def test_the_kept_weights_have_the_scores_of_their_rows(weights):
    """Half precision changes no claim: the first of each decoder (the tool prints every one)."""
    stem = weights.stem.removesuffix("_weights")
    names = {key.partition("/")[0] for key in load_tensors(weights)[0]}
    by_decoder: dict[str, list[RunRow]] = {}
    for kept in read_rows(EVIDENCE / f"{stem}.csv"):
        if kept.name in names:
            by_decoder.setdefault(kept.decoder, []).append(kept)
    assert sum(map(len, by_decoder.values())) == len(names) > 0
    for rows in by_decoder.values():
        for found in rows[:1]:
            model = load_run(stem, found)
            source = make_stream(found.dataset, im_size=model.config["im_size"])
            scores = evaluate_model(model, source)
            assert scores.informative == found.informative_latents
            assert scores.squared_error == pytest.approx(found.squared_error, rel=0.02)
            assert scores.geometry.affine_r2 == pytest.approx(found.affine_r2, abs=2e-3)
            assert scores.linear_r2 == pytest.approx(found.linear_r2, abs=2e-3)
            assert scores.neighbor_r2 == pytest.approx(found.neighbor_r2, abs=2e-3)


def test_a_beginning_has_the_schedules_of_the_whole():
    fast, start = RECIPES["fast"], RECIPES["fast-blocks"]
    assert start.steps == 585 == round(0.45 * fast.steps)
    for name in ("lr", "beta", "pool", "batch_size"):
        for step in (0, 130, 259, 261, 430, 454, 456, 500, 584):  # 260 may round either way
            whole = fast.fit[name](step / fast.steps)
            assert start.fit[name](step / start.steps) == pytest.approx(whole)
    assert start.fit["precision"] == fast.fit["precision"]
    assert start.fit["pool"](584 / 585) == 2
    assert fast.fit["pool"](585 / 1300) == 1


def test_plain_recipes_change_nothing_and_differ_in_what_they_say():
    found = {name: r.fit for name, r in RECIPES.items() if name.startswith("plain")}
    assert len(found) == 9
    assert len({(fit["lr"], fit["beta"]) for fit in found.values()}) == 9
    assert not any(callable(value) for fit in found.values() for value in fit.values())
    assert found["plain-slow-beta16"] == dict(lr=3e-4, beta=16, batch_size=32, precision="auto")
