"""All scores side by side, of arrays and of models; the table of them, and the command that makes it."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from sbd_utils import (
    VAE,
    CircleStream,
    RunRow,
    ScoreRow,
    dci,
    encode,
    encode_samples,
    factor_vae_score,
    mig,
    read_rows,
    sap,
    save_weights,
    score_code,
    toy_code,
)
from sbd_utils.data import make_stream
from sbd_utils.evidence import EVIDENCE, write_rows
from sbd_utils.experiments import keep_weights
from tools import scores as command


def network(seed: int = 0, z_dim: int = 3) -> VAE:
    torch.manual_seed(seed)
    return VAE(channels=4, z_dim=z_dim).eval()


def test_each_score_is_that_of_its_function():
    codes, factors, continuous = toy_code(600, angle=20, noise=0.1)
    found = score_code(codes, factors, continuous=continuous, seed=3)
    three = dci(codes, factors, continuous=True, seed=3)
    assert found.mig == mig(codes, factors, continuous=True)
    assert found.sap == sap(codes, factors, continuous=True)
    assert (found.disentanglement, found.completeness, found.informativeness) == three
    assert found.factor_vae == factor_vae_score(codes, factors, continuous=True, seed=3)


def test_samples_are_those_of_the_world_whatever_the_parts():
    model, stream = network(), CircleStream()
    codes, factors = encode_samples(model, stream, count=501, seed=7)
    drawn = stream.sample(501, torch.Generator().manual_seed(7))
    np.testing.assert_array_equal(factors, drawn.double())
    expected, _ = encode(model, stream.render(drawn[-3:]))
    np.testing.assert_allclose(codes[-3:], expected, atol=1e-5)
    assert codes.shape == (501, 3)
    with pytest.raises(ValueError, match="count is 0"):
        encode_samples(model, stream, count=0)


def test_a_grey_world_is_shown_to_a_network_for_colours_as_grey():
    torch.manual_seed(0)
    model = VAE(channels=4, z_dim=2, in_channels=3).eval()
    assert encode_samples(model, CircleStream(), count=2)[0].shape == (2, 2)


def test_a_toy_code_is_what_it_says():
    classes = toy_code(2000, values=5, seed=1)
    assert np.unique(classes.factors).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert not classes.continuous
    np.testing.assert_array_equal(classes.codes, classes.factors)
    turned = toy_code(2000, angle=30, seed=1)
    lengths = [np.linalg.norm(part, axis=1) for part in (turned.codes, turned.factors)]
    np.testing.assert_allclose(*lengths)
    direction = np.degrees(np.arctan2(*(turned.codes[0] @ [[0, 1], [1, 0]])))
    before = np.degrees(np.arctan2(*(turned.factors[0] @ [[0, 1], [1, 0]])))
    assert (direction - before) % 360 == pytest.approx(30)
    noise = toy_code(20_000, noise=0.2).codes - toy_code(20_000).codes
    assert noise.std() == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(samples=0), "samples is 0"),
        (dict(samples=9, values=1), "values is 1"),
        (dict(samples=9, noise=-0.1), "noise is -0.1"),
    ],
)
def test_a_toy_code_refuses_what_is_none(options, said):
    with pytest.raises(ValueError, match=said):
        toy_code(**options)


# The command


def some_row(seed: int, **values) -> RunRow:
    rows = read_rows(EVIDENCE / "seeds_circles_fp32.csv")
    of_sbd = next(row for row in rows if row.decoder == "sbd")
    return dataclasses.replace(of_sbd, seed=seed, channels=4, **values)


@pytest.fixture
def folder(tmp_path):
    """Two runs with records, one of them on the rectangle, and weights without a record."""
    runs = tmp_path / "runs"
    runs.mkdir()
    for seed, dataset in ((0, "circles"), (1, "rectangle")):
        row = some_row(seed, dataset=dataset)
        save_weights(network(seed), runs / f"{row.name}.safetensors")
        record = json.dumps({"scores": dataclasses.asdict(row)})
        (runs / f"{row.name}.json").write_text(record, encoding="utf-8")
    save_weights(network(2), runs / "alone.safetensors")
    return runs


def test_runs_are_scored_once_and_a_row_that_is_deleted_is_made_anew(folder, tmp_path, capsys):
    table = tmp_path / "table.csv"
    call = [str(table), str(folder), "--samples", "400"]
    assert command.main([*call, "--dataset", "circles"]) == 0
    (first,) = read_rows(table, ScoreRow)
    assert (first.dataset, first.seed, first.weights) == ("circles", 0, "fp32")
    assert command.main(call) == 0
    assert "2 runs found, 1 to score" in capsys.readouterr().out
    rows = read_rows(table, ScoreRow)
    assert [row.dataset for row in rows] == ["circles", "rectangle"]
    write_rows(table, rows[1:])
    assert command.main(call) == 0
    again = read_rows(table, ScoreRow)
    seconds = [row.processor_seconds for row in again]
    same = [dataclasses.replace(r, processor_seconds=s) for r, s in zip(rows, seconds, strict=True)]
    assert again == same


def test_a_row_holds_the_scores_of_its_network(folder):
    run = next(command.runs_of(folder))
    row = command.score_run(run, samples=400)
    codes, factors = encode_samples(network(0), CircleStream(), 400)
    expected = score_code(codes, factors, continuous=True)
    for name, score in expected._asdict().items():
        assert getattr(row, name) == pytest.approx(score.value, abs=1e-4)
        assert getattr(row, f"{name}_ceiling") == pytest.approx(score.ceiling, abs=1e-4)
        assert getattr(row, f"{name}_turned") == pytest.approx(score.turned, abs=1e-4)


def test_a_world_of_sprites_is_scored_by_the_factors_that_vary(tmp_path):
    row = some_row(0, dataset="squares", recipe="sprites")
    torch.manual_seed(0)
    model = VAE(32, 3, channels=4, z_dim=3).eval()
    save_weights(model, tmp_path / "w.safetensors")
    run = command.Run((*row.key, "fp32"), "fp32", tmp_path / "w.safetensors", None)
    found = command.score_run(run, samples=200)
    codes, factors = encode_samples(model, make_stream("squares", im_size=32), 200)
    place_size_hue = factors[:, [0, 1, 2, 5]]
    expected = score_code(codes, place_size_hue, continuous=True)
    for name, score in expected._asdict().items():
        assert getattr(found, name) == pytest.approx(score.value, abs=1e-4)


def test_kept_weights_are_a_source_and_what_is_none_is_refused(tmp_path):
    table, row = tmp_path / "kept.csv", some_row(3)
    write_rows(table, [row, some_row(4)])
    keep_weights(table, {row.name: network(3, z_dim=10)})
    (run,) = command.runs_of(table)
    assert run.key == (*row.key, row.precision)
    assert run.weights == "fp16"
    for value, half in zip(network(3, z_dim=10).parameters(), run.load().parameters(), strict=True):
        torch.testing.assert_close(half, value, rtol=1e-3, atol=1e-4)
    with pytest.raises(FileNotFoundError, match="no folder"):
        list(command.runs_of(tmp_path / "nowhere"))


@pytest.mark.parametrize("angle", [0, 20, 135])
def test_a_pair_is_turned_upright_and_the_others_stay(angle):
    toy = toy_code(500, angle=angle)
    idle = np.random.default_rng(0).normal(size=(500, 1))
    codes = np.hstack([toy.codes[:, :1], idle, -toy.codes[:, 1:]])  # reflected, too
    upright = command.turned_upright(codes, toy.factors, (0, 2))
    np.testing.assert_array_equal(upright[:, 1], codes[:, 1])
    np.testing.assert_allclose(np.abs(upright[:, [0, 2]]), np.abs(toy.factors), atol=1e-9)


# The committed tables


def test_every_row_of_the_table_has_the_same_ideal():
    """The ideal code depends on the factors alone, which are the same 10,000 in every row."""
    rows = read_rows(EVIDENCE / "scores_circles.csv", ScoreRow)
    names = [
        f.name for f in dataclasses.fields(ScoreRow) if f.name.endswith(("_ceiling", "_turned"))
    ]
    for dataset in {row.dataset for row in rows}:
        of_one = [row for row in rows if row.dataset == dataset]
        assert len({tuple(getattr(row, name) for name in names) for row in of_one}) == 1
    assert {row.samples for row in rows} == {10_000}
    assert len({row.key for row in rows}) == len(rows)


def test_the_scores_of_a_run_go_with_its_row_in_the_table_of_runs():
    runs = {row.key: row for row in read_rows(EVIDENCE / "seeds_circles_fp32.csv")}
    scored = read_rows(EVIDENCE / "scores_circles.csv", ScoreRow)
    both = [
        (row, runs[row.key[:4]])
        for row in scored
        if row.key[:4] in runs and row.precision == "fp32"
    ]
    assert len(both) >= 10
    for row, run in both:
        assert row.similarity_r2 == pytest.approx(run.similarity_r2, abs=1e-3)
        assert row.informative_latents == run.informative_latents
