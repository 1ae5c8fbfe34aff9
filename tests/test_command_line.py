"""The commands as a student types them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sbd_utils import IODINE, circles_dataset, load_weights, save_weights
from sbd_utils.__main__ import main, seeds
from sbd_utils.evidence import grids_path
from sbd_utils.files import load_tensors

ROOT = Path(__file__).resolve().parent.parent


def command(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "sbd_utils", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, env=environment)


def test_every_command_explains_itself(capsys):
    for arguments in (
        [],
        ["generate"],
        ["train"],
        ["evaluate"],
        ["sweep"],
        ["publish"],
        ["convert"],
    ):
        with pytest.raises(SystemExit) as stop:
            main([*arguments, "--help"])
        assert stop.value.code == 0
        assert len(capsys.readouterr().out) > 200


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_generate_writes_the_dataset(tmp_path, suffix):
    path = tmp_path / f"circles.{suffix}"
    assert main(["generate", str(path), "--num-images", "20", "--seed", "3"]) == 0
    arrays = np.load(path, allow_pickle=False) if suffix == "npz" else load_tensors(path)[0]
    images, centers = circles_dataset(20, seed=3).tensors
    assert np.array_equal(arrays["images"], images)
    assert np.array_equal(arrays["centers"], centers)


def test_errors_are_one_line_and_exit_1(tmp_path, capsys):
    assert main(["generate", str(tmp_path / "circles.pkl")]) == 1
    assert main(["evaluate", "nothing"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "must end in '.npz' or '.safetensors'" in lines[0]
    assert "name is 'nothing'" in lines[1] or "there is no" in lines[1]


def test_seeds():
    assert seeds("3") == [3]
    assert seeds("0-3") == [0, 1, 2, 3]
    assert seeds("1,4,7-8") == [1, 4, 7, 8]


def test_a_model_of_scenes_is_not_evaluated_as_a_vae(tmp_path, capsys):
    path = save_weights(IODINE(im_size=16, channels=4), tmp_path / "iodine.safetensors")
    assert main(["evaluate", str(path)]) == 1
    assert "holds a IODINE; this scores a VAE" in capsys.readouterr().err


def test_train_evaluate_publish(tmp_path, capsys):
    out = tmp_path / "w.safetensors"
    assert main(["train", str(out), "--steps", "3"]) == 0
    assert main(["evaluate", str(out)]) == 0
    assert "similarity_r2" in capsys.readouterr().out
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["scores"]["updates"] == 3
    assert record["scores"]["recovered"] is False
    assert len(record["history"]["squared_error"]) == 3
    assert load_weights(out).config["channels"] == 32
    assert (
        main(
            [
                "publish",
                str(out),
                "mine",
                "--folder",
                str(tmp_path / "p"),
                "--note",
                "Three updates.",
            ]
        )
        == 0
    )
    assert "Three updates." in (tmp_path / "p" / "mine.md").read_text()


def test_sweep_does_not_run_again_what_is_finished(tmp_path):
    table, folder = tmp_path / "table.csv", tmp_path / "runs"
    line = ["sweep", table, "--steps", "2", "--folder", folder, "--decoders", "sbd"]
    assert command(*line, "--seeds", "1").returncode == 0
    first = table.read_text().splitlines()[1]
    again = command(*line, "--seeds", "0-1", "--jobs", "2")
    assert again.returncode == 0, again.stderr
    assert "1 of 2 runs are in" in again.stdout
    with open(table) as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["0", "1"]
    assert first in table.read_text()  # with the same training time: it was not trained anew
    grids = load_tensors(grids_path(table))[0]
    shapes = {name: list(grid.shape) for name, grid in grids.items()}
    assert shapes == {"circles-fast-sbd-0": [310, 2], "circles-fast-sbd-1": [310, 2]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "t.csv", "--seeds", "9-0"], "'9-0' runs backwards; write 0-9"),
        (["sweep", "t.csv", "--seeds", "a"], "'a' is no seed"),
        (["sweep", "t.csv", "--seeds", "1,,2"], "'' is no seed"),
        (["sweep", "t.csv", "--jobs", "0"], "'0' is not a whole number of at least 1"),
        (["train", "w", "--processor-seconds", "nan"], "'nan' is not a number of seconds above 0"),
        (["train", "w", "--processor-seconds", "-1"], "'-1' is not a number of seconds above 0"),
        (["train", "w", "--steps", "0"], "'0' is not a whole number of at least 1"),
        (["train", "w", "--threads", "-1"], "'-1' is not a whole number"),
        (["train", "w", "--recipe", "default"], "invalid choice: 'default'"),
        (["generate", "c.npz", "--num-images", "0"], "'0' is not a whole number"),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "~/c.npz", "--num-images", "2"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c.npz"]
