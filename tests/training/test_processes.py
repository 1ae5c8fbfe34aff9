"""The same `fit` in two processes: equal weights on both, the curve of one process, interrupts and resumption."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from sbd_utils import VAE, CircleStream, fit, load_weights
from sbd_utils.files import load_tensors
from tests import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
STEPS = 30

# `--multi_gpu` is what `accelerate launch` calls several processes on one machine; the environment makes them use CPUs.
LAUNCH = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
LAUNCH += [
    "--num_machines",
    "1",
    "--mixed_precision",
    "no",
    "--dynamo_backend",
    "no",
    "--main_process_port",
    "0",
]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "ACCELERATE_USE_CPU": "true",
}

CHILD = f"""
import sys, time
import torch
from accelerate import Accelerator
from sbd_utils import VAE, CircleStream, fit, save_weights
torch.set_num_threads(1)
accelerator = Accelerator()
torch.manual_seed(0)
model = VAE(im_size=32, channels=4, z_dim=3)
def tell(model, history):
    print("update", len(history.seconds), flush=True)
    time.sleep(0.1)  # so that a signal arrives before the end
history = fit(model, CircleStream(seed=0, im_size=32), {STEPS}, batch_size=8, progress=False, accelerator=accelerator,
    checkpoint=sys.argv[1] + "/checkpoint", checkpoint_every=5, callback=tell, callback_every=1)
save_weights(model, f"{{sys.argv[1]}}/weights-{{accelerator.process_index}}.safetensors")
"""


@contextlib.contextmanager
def launched(folder: Path):
    """The child in two processes; whatever is left of them at the end of the block is killed."""
    script = folder / "child.py"
    script.write_text(CHILD)
    command = [*LAUNCH, str(script), str(folder)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_all(process)


def kill_all(process: subprocess.Popen) -> None:
    """Kill the launcher and its workers, which are in sessions of their own, as `kill -9` does."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for worker in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
    process.communicate(timeout=PATIENCE)


def wait_for(process: subprocess.Popen, line: str) -> None:
    seen = []
    for text in process.stdout:
        seen.append(text.strip())
        if seen[-1] == line:
            return
    raise AssertionError("\n".join(seen))


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    with launched(folder) as process:
        output = process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 0, output
    return folder


def test_both_processes_end_with_equal_weights(two_processes):
    a, b = (
        load_weights(two_processes / f"weights-{rank}.safetensors").state_dict() for rank in (0, 1)
    )
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_the_curve_is_that_of_one_process_with_the_whole_batch(two_processes):
    torch.manual_seed(0)
    model = VAE(im_size=32, channels=4, z_dim=3)
    history = fit(
        model, CircleStream(seed=0, im_size=32), STEPS, batch_size=8, progress=False, device="cpu"
    )
    log = load_tensors(two_processes / "checkpoint")[0]
    torch.testing.assert_close(
        log["log.squared_error"], history.squared_error, rtol=1e-3, atol=1e-3
    )
    torch.testing.assert_close(log["log.kl"], history.kl, rtol=1e-2, atol=1e-3)
    two = load_weights(two_processes / "checkpoint").state_dict()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(two[name], value, rtol=0, atol=2e-3)


def test_interrupted_and_killed_and_resumed_ends_with_the_same_bits(two_processes, tmp_path):
    with launched(tmp_path) as process:
        wait_for(process, "update 8")
    assert not (tmp_path / "weights-0.safetensors").exists()  # it was killed before it ended
    with launched(tmp_path) as process:
        wait_for(process, "update 14")
        process.send_signal(signal.SIGINT)  # the launcher passes it on to its workers
        process.communicate(timeout=PATIENCE)
    assert 10 <= int(load_tensors(tmp_path / "checkpoint")[1]["step"]) < STEPS
    with launched(tmp_path) as process:
        output = process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 0, output
    whole = load_weights(two_processes / "weights-0.safetensors").state_dict()
    resumed = load_weights(tmp_path / "weights-1.safetensors").state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_batch_that_cannot_be_shared_is_refused():
    class Three:
        device, num_processes, process_index, is_main_process = "cpu", 3, 0, True

    with pytest.raises(ValueError, match="batch_size is 8; it must be a positive multiple of 3"):
        fit(
            VAE(im_size=32, channels=4),
            CircleStream(im_size=32),
            2,
            batch_size=8,
            accelerator=Three(),
        )


def test_the_command_line_runs_under_accelerate_launch(tmp_path):
    command = [*LAUNCH, "-m", "sbd_utils", "train", str(tmp_path / "w.safetensors"), "--steps", "2"]
    result = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, timeout=PATIENCE
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("similarity_r2") == 1  # one process reports
    assert load_weights(tmp_path / "w.safetensors").config["channels"] == 32
