"""The objective against definitions and references; `fit` against kills, interrupts, full disks and bad numbers."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference_kl
from torch.utils.data import DataLoader, Subset, TensorDataset

from sbd_utils import (
    VAE,
    CircleStream,
    circles_dataset,
    elbo_loss,
    fit,
    kl_divergence,
    load_weights,
    piecewise_constant,
    piecewise_linear,
    save_weights,
)
from sbd_utils.files import CorruptFileError
from sbd_utils.models import MODELS, Loss
from sbd_utils.training import NotFiniteError, fast_precision
from tests import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def tiny(seed=0, **options):
    torch.manual_seed(seed)
    return VAE(**{"im_size": 32, "channels": 4, "z_dim": 3, **options})


STREAM = CircleStream(seed=0, im_size=32)


def train(model, steps=6, dataset=STREAM, **options):
    return fit(
        model, dataset, steps, **{"batch_size": 4, "progress": False, "device": "cpu", **options}
    )


class Unnamed:
    """A data set of a test."""

    def identity(self):
        return {"class": type(self).__name__}


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.state_dict().values()])


# The objective


def test_kl_is_that_of_torch_distributions():
    torch.manual_seed(0)
    mean, logvar = (
        3 * torch.randn(50, 4, dtype=torch.float64),
        2 * torch.randn(50, 4, dtype=torch.float64),
    )
    reference = reference_kl(
        Normal(mean, (logvar / 2).exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    )
    torch.testing.assert_close(kl_divergence(mean, logvar), reference)


def test_loss_on_a_case_computed_by_hand():
    x, reconstruction = torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2)
    reconstruction[0] = 1  # squared errors 4 and 0: mean 2
    mean, logvar = (
        torch.tensor([[1.0, 0.0], [3.0, 0.0]]),
        torch.zeros(2, 2),
    )  # KL 1/2 and 9/2 in latent 0: mean 2.5
    loss = elbo_loss(x, reconstruction, mean, logvar, w=10, beta=4)
    assert loss.squared_error.item() == 2
    assert loss.kl.tolist() == [2.5, 0]
    assert loss.total.item() == 10 * 2 + 4 * 2.5


def test_w_is_the_gaussian_likelihood_of_variance_one_over_two_w():
    torch.manual_seed(0)
    x, a, b = (torch.rand(3, 1, 4, 4, dtype=torch.float64) for _ in range(3))
    mean = torch.zeros(3, 2, dtype=torch.float64)
    w = 7.0
    sigma = math.sqrt(1 / (2 * w))
    loss = [elbo_loss(x, r, mean, mean, w=w).total for r in (a, b)]
    likelihood = [Normal(r, sigma).log_prob(x).sum((1, 2, 3)).mean() for r in (a, b)]
    torch.testing.assert_close(
        loss[0] - loss[1], likelihood[1] - likelihood[0]
    )  # the constant cancels


def test_w_and_beta_are_one_knob():
    torch.manual_seed(0)
    x, r, mean, logvar = (
        torch.rand(2, 1, 4, 4),
        torch.rand(2, 1, 4, 4),
        torch.randn(2, 3),
        torch.randn(2, 3),
    )
    one, other = (
        elbo_loss(x, r, mean, logvar, 10, 4).total,
        elbo_loss(x, r, mean, logvar, 5, 2).total,
    )
    torch.testing.assert_close(one, 2 * other)


def test_gradients_are_those_of_the_definition():
    torch.manual_seed(0)
    inputs = [torch.rand(2, 1, 3, 3), torch.randn(2, 3), torch.randn(2, 3)]
    inputs = [t.double().requires_grad_() for t in inputs]
    x = torch.rand(2, 1, 3, 3, dtype=torch.float64)
    gradients = torch.autograd.grad(elbo_loss(x, *inputs, w=10, beta=4).total, inputs)
    r, mean, logvar = inputs
    expected = (2 * 10 * (r - x) / 2, 4 * mean / 2, 4 * 0.5 * (logvar.exp() - 1) / 2)  # 2 images
    for gradient, value in zip(gradients, expected, strict=True):
        torch.testing.assert_close(gradient, value.detach())


# Schedules


def test_piecewise_linear_holds_ends_and_interpolates():
    schedule = piecewise_linear((0.2, 8), (0.6, 4))
    assert [schedule(u) for u in (0, 0.2, 0.4, 0.6, 1)] == pytest.approx([8, 8, 6, 4, 4])


def test_piecewise_constant_jumps_at_its_points():
    schedule = piecewise_constant((0, 8), (0.5, 2))
    assert [schedule(u) for u in (0, 0.49, 0.5, 1)] == [8, 8, 2, 2]


@pytest.mark.parametrize("schedule", [piecewise_linear, piecewise_constant])
def test_schedules_refuse_points_out_of_order(schedule):
    with pytest.raises(ValueError, match="progress must"):
        schedule((0, 1), (0.5, 2), (0.5, 3))


# fit


def test_training_learns():
    model = tiny(channels=8)
    history = train(model, 150, batch_size=16)
    assert history.squared_error[-10:].mean() < 0.5 * history.squared_error[:3].mean()
    assert not model.training


def test_history_holds_every_update_and_the_schedules():
    history = train(
        tiny(),
        10,
        beta=piecewise_linear((0, 10), (1, 0)),
        lr=piecewise_constant((0, 1e-3), (0.5, 1e-4)),
    )
    assert history.squared_error.shape == (10,)
    assert history.kl.shape == (10, 3)
    assert history.beta.tolist() == pytest.approx(list(range(10, 0, -1)))
    assert history.lr.tolist() == pytest.approx([1e-3] * 5 + [1e-4] * 5)
    assert (history.seconds.diff() > 0).all()


def test_first_history_entry_is_the_objective_of_the_untrained_model():
    model = tiny()
    images = STREAM.batch(0, 4)[0]
    mean, logvar = model.encoder(images)
    history = train(model, 1)
    torch.testing.assert_close(history.kl[0], kl_divergence(mean, logvar).mean(0).detach())


@pytest.mark.parametrize(
    "dataset", [STREAM, circles_dataset(10, im_size=32)], ids=["stream", "dataset"]
)
def test_same_seed_same_bits(dataset):
    models = [tiny(), tiny(), tiny()]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        train(model, dataset=dataset, seed=seed)
    assert torch.equal(weights(models[0]), weights(models[1]))
    assert not torch.equal(weights(models[0]), weights(models[2]))


def test_every_epoch_shows_every_image_once_in_another_order():
    from sbd_utils.data.base import shuffled

    shown = torch.cat(
        [shuffled(10, step * 4, 4, seed=0) for step in range(10)]
    )  # 4 epochs in batches of 4
    epochs = shown.view(4, 10)
    assert (epochs.sort(1).values == torch.arange(10)).all()
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.parametrize("decoder", ["sbd", "deconv"])
def test_pooled_error_of_a_perfectly_pooled_picture_is_zero_and_scale_is_kept(decoder):
    """With pool 2, an image of constant blocks costs what it costs with pool 1."""
    model = tiny(decoder=decoder)
    for parameter in model.decoder.parameters():
        parameter.data.zero_()  # a black reconstruction

    class Blocks(Unnamed):
        def batch(self, step, batch_size, part, device):
            return (torch.ones(batch_size, 1, 32, 32)[part],)

    for pool in (1, 2, 4):
        model.load_state_dict(model.state_dict())
        error = train(model, 1, dataset=Blocks(), pool=pool, lr=0.0).squared_error.item()
        assert error == pytest.approx(32 * 32)


def test_batch_size_can_follow_a_schedule():
    seen = []

    class Watched(Unnamed):
        def batch(self, step, batch_size, part, device):
            seen.append(batch_size)
            return STREAM.batch(step, batch_size, part, device)

    train(tiny(), 4, dataset=Watched(), batch_size=piecewise_constant((0, 8), (0.5, 2)))
    assert seen == [8, 8, 2, 2]


def test_callback_is_called_on_time_and_at_the_end():
    seen = []
    train(
        tiny(),
        7,
        callback=lambda model, history: seen.append(len(history.seconds)),
        callback_every=3,
    )
    assert seen == [3, 6, 7]


def test_callback_can_end_training():
    assert (
        len(train(tiny(), 50, callback=lambda model, history: True, callback_every=5).seconds) == 6
    )


def test_bf16_trains_and_keeps_fp32_weights():
    model = tiny()
    history = train(model, 3, precision="bf16")
    assert history.squared_error.isfinite().all()
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert fast_precision("cpu") in ("fp32", "bf16")


def test_bf16_is_not_taken_where_onednn_must_do_without_avx512():
    """It would be emulated then, at a hundredth of the speed."""
    code = "from sbd_utils.training import fast_precision; print(fast_precision('cpu'))"
    for name, value in (("ONEDNN_MAX_CPU_ISA", "AVX2"), ("DNNL_MAX_CPU_ISA", "avx2")):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {name: value},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert run.stdout == "fp32\n", run.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
        ({"callback_every": 0}, "callback_every is 0"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"clip": 0}, "clip is 0; it must be above 0"),
        ({"clip": math.nan}, "clip is nan"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        train(tiny(), **options)


def test_gradients_are_clipped_together():
    def trained(**options):
        model = tiny()
        train(model, steps=1, **options)
        gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
        return gradient, weights(model)

    free, plain = trained()
    length = free.norm().item()
    short, _ = trained(clip=length / 100)
    torch.testing.assert_close(short, free / 100)
    same, untouched = trained(clip=2 * length)
    assert torch.equal(same, free)
    assert torch.equal(untouched, plain)


# Checkpoints


def test_resumed_training_is_bit_identical(tmp_path):
    whole, part = tiny(), tiny()
    options = dict(
        steps=9, beta=piecewise_linear((0, 4), (1, 1)), lr=piecewise_linear((0, 1e-3), (1, 1e-4))
    )
    reference = train(whole, **options)
    options["checkpoint"] = tmp_path / "c"
    stop_after(5, lambda callback: train(part, callback=callback, callback_every=1, **options))
    resumed = tiny(seed=5)
    history = train(resumed, **options)
    assert torch.equal(weights(whole), weights(resumed))
    assert torch.equal(reference.squared_error, history.squared_error)
    assert torch.equal(reference.kl, history.kl)


def stop_after(step, run):
    """Interrupt the run as Ctrl-C does, after `step` updates."""

    def callback(model, history):
        if len(history.seconds) == step:
            signal.raise_signal(signal.SIGINT)

    return run(callback)


def test_interrupt_ends_cleanly_and_keeps_what_was_learned(tmp_path):
    model = tiny()
    before = signal.getsignal(signal.SIGINT)
    history = stop_after(
        3,
        lambda callback: train(
            model, 50, checkpoint=tmp_path / "c", callback=callback, callback_every=1
        ),
    )
    assert 3 <= len(history.seconds) <= 4
    assert torch.equal(weights(load_weights(tmp_path / "c")), weights(model))
    assert signal.getsignal(signal.SIGINT) is before


CHILD = """
import sys, torch
torch.set_num_threads(1)
from sbd_utils import VAE, CircleStream, fit, piecewise_linear, save_weights
torch.manual_seed(0)
model = VAE(im_size=32, channels=4, z_dim=3)
def tell(model, history):
    print(len(history.seconds), flush=True)
fit(model, CircleStream(seed=0, im_size=32), 60, batch_size=4, beta=piecewise_linear((0, 8), (1, 1)), device="cpu",
    checkpoint=sys.argv[1], checkpoint_every=4, callback=tell, callback_every=1, progress=False)
save_weights(model, sys.argv[2])
"""


def child(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_kill_9_at_random_steps_and_resume_is_bit_identical(tmp_path):
    """A real process, killed at 6 random moments and resumed each time, against one that was never killed."""
    whole = child(tmp_path / "whole.checkpoint", tmp_path / "whole.safetensors")
    generator = torch.Generator().manual_seed(20)
    kill_at = sorted((torch.randperm(54, generator=generator)[:6] + 5).tolist())
    for step in kill_at:
        process = child(tmp_path / "c", tmp_path / "never")
        for line in process.stdout:
            if int(line) >= step:
                break
        time.sleep(
            0.003 * torch.rand(1, generator=generator).item()
        )  # somewhere inside an update or a write
        process.kill()
        assert process.wait() == -signal.SIGKILL
    final = child(tmp_path / "c", tmp_path / "killed.safetensors")
    assert final.wait(PATIENCE) == 0
    assert whole.wait(PATIENCE) == 0
    a, b = (load_weights(tmp_path / f"{name}.safetensors") for name in ("whole", "killed"))
    assert torch.equal(weights(a), weights(b))


def test_ctrl_c_in_a_real_process_leaves_a_checkpoint_and_weights(tmp_path):
    process = child(tmp_path / "c", tmp_path / "w.safetensors")
    for line in process.stdout:
        if int(line) >= 7:
            break
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(PATIENCE) == 0
    assert torch.equal(
        weights(load_weights(tmp_path / "c")), weights(load_weights(tmp_path / "w.safetensors"))
    )


def test_checkpoint_of_another_run_is_refused(tmp_path):
    train(tiny(), checkpoint=tmp_path / "c")
    kept = train(tiny(), w=5.0, checkpoint=tmp_path / "w") and tmp_path / "w"
    for options, name in [
        ({"batch_size": 8}, "batch_size"),
        ({"w": 5.0}, "w"),
        ({"seed": 3}, "seed"),
        ({"steps": 7}, "steps"),
        ({"lr": 1e-2}, "lr"),
        ({"clip": 3.0}, "clip"),
    ]:
        with pytest.raises(ValueError, match=f"another run: its {name} is"):
            train(tiny(), checkpoint=tmp_path / "c", **options)
    with pytest.raises(ValueError, match=r"another run: its w is 5\.0, not 10\.0"):
        train(tiny(), checkpoint=kept)
    with pytest.raises(ValueError, match=r"another run: its dataset is .*'seed': 0.*'seed': 1"):
        train(tiny(), dataset=CircleStream(seed=1, im_size=32), checkpoint=tmp_path / "c")
    with pytest.raises(ValueError, match="another run: its channels is 4, not 5"):
        train(tiny(channels=5), checkpoint=tmp_path / "c")


def test_weights_are_no_checkpoint(tmp_path):
    save_weights(tiny(), tmp_path / "c")
    with pytest.raises(CorruptFileError, match="holds no checkpoint"):
        train(tiny(), checkpoint=tmp_path / "c")


def test_loss_that_is_not_finite_names_the_step_and_keeps_the_checkpoint(tmp_path):
    class Poisoned(Unnamed):
        def batch(self, step, *rest):
            images, centers = STREAM.batch(step, *rest)
            return images * (float("nan") if step == 7 else 1), centers

    with pytest.raises(NotFiniteError, match="not finite at step 7"):
        train(tiny(), 20, dataset=Poisoned(), checkpoint=tmp_path / "c", checkpoint_every=3)
    assert json.loads((load_metadata(tmp_path / "c"))["step"]) == 6
    assert weights(load_weights(tmp_path / "c")).isfinite().all()


def load_metadata(path):
    from sbd_utils.files import load_tensors

    return load_tensors(path)[1]


def test_learning_rate_too_high_stops_with_the_error():
    with pytest.raises(NotFiniteError, match="lower learning rate"):
        train(tiny(), 200, lr=1e6)


def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"cannot write .*file/c"):
        train(tiny(), checkpoint=tmp_path / "file" / "c")


FULL_DISK = """
import resource, signal, sys
from tests.training.test_loop import tiny, train
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
train(tiny(), 6, checkpoint=sys.argv[1])
"""


def test_full_disk_leaves_the_old_checkpoint_intact(tmp_path):
    """A limit on the size of files stands for the full disk: the next checkpoint's write fails half-way."""
    path = tmp_path / "c"
    stop_after(
        3, lambda callback: train(tiny(), checkpoint=path, callback=callback, callback_every=1)
    )
    old = path.read_bytes()
    assert len(old) > 20_000
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], cwd=ROOT, capture_output=True, text=True
    )
    assert f"cannot write {path}" in result.stderr
    assert "the disk or a limit allows no larger file" in result.stderr
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


# Weights


def test_weights_round_trip_and_are_not_a_pickle(tmp_path):
    model = tiny(decoder="deconv")
    save_weights(model, tmp_path / "w")
    again = load_weights(tmp_path / "w")
    assert again.config == model.config
    assert torch.equal(weights(again), weights(model))
    assert b"\x80\x02" not in (tmp_path / "w").read_bytes()[:16]


# Whatever the session or a callback did before


def test_a_callback_that_leaves_other_modes_behind_changes_nothing():
    def meddle(model, history):
        model.eval()
        torch.set_grad_enabled(False)

    plain, meddled = tiny(), tiny()
    reference = train(plain, callback=lambda model, history: None, callback_every=1)
    try:
        history = train(meddled, callback=meddle, callback_every=1)
    finally:
        torch.set_grad_enabled(True)
    assert torch.equal(history.squared_error, reference.squared_error)
    assert torch.equal(history.kl, reference.kl)
    assert torch.equal(weights(meddled), weights(plain))


def test_training_without_gradients_in_the_session_trains_all_the_same():
    reference, model = tiny(), tiny()
    train(reference)
    with torch.no_grad():
        train(model)
    assert torch.equal(weights(model), weights(reference))


def test_after_an_exception_the_model_is_in_eval_mode():
    model = tiny()

    def fail(model, history):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(model, callback=fail, callback_every=1)
    assert not model.training


def test_a_default_dtype_or_compiled_model_changes_nothing():
    reference, model, compiled = tiny(), tiny(), tiny()
    train(reference)
    torch.set_default_dtype(torch.float64)
    try:
        train(model)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(weights(model), weights(reference))
    train(torch.compile(compiled))
    assert torch.equal(weights(compiled), weights(reference))


# A model brings its loss


class Mean(torch.nn.Module):
    """One number that learns the images' mean brightness; its loss has parts of its own."""

    def __init__(self, start=0.0):
        super().__init__()
        self.config = {"start": start}
        self.value = torch.nn.Parameter(torch.tensor(start))

    def loss(self, images, noise, *, scale=1.0):
        errors = (images - self.value).square().mean((1, 2, 3))  # [N]
        return Loss(scale * errors.mean(), {"errors": errors.detach()[:2], "drawn": noise(3).sum()})


def test_another_model_is_trained_by_its_own_loss():
    history = train(Mean(), 4, scale=piecewise_linear((0, 1), (1, 2)))
    assert history.errors.shape == (4, 2)
    assert history.drawn.shape == (4,)
    assert history.scale.tolist() == [1, 1.25, 1.5, 1.75]
    image = STREAM.batch(0, 4)[0]
    assert history.errors[0].tolist() == pytest.approx(image[:2].square().mean((1, 2, 3)).tolist())
    with pytest.raises(AttributeError, match="no 'kl'"):
        history.kl.sum()


def test_a_schedule_that_no_loss_takes_is_refused():
    with pytest.raises(TypeError, match=r"'gamma'.*the loss of VAE takes \(w, beta, pool, tc\)"):
        train(tiny(), gamma=1.0)
    with pytest.raises(TypeError, match=r"'beta'.*the loss of Mean takes \(scale\)"):
        train(Mean(), beta=1.0)


def test_a_registered_model_is_saved_resumed_and_loaded(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="model is a Mean; known to files are VAE"):
        save_weights(Mean(), tmp_path / "w")
    monkeypatch.setitem(MODELS, "Mean", Mean)
    whole, part = Mean(), Mean()
    reference = train(whole, 6)
    options = dict(checkpoint=tmp_path / "c", callback_every=1)
    stop_after(3, lambda callback: train(part, 6, callback=callback, **options))
    history = train(Mean(), 6, checkpoint=tmp_path / "c")
    assert torch.equal(history.errors, reference.errors)
    loaded = load_weights(tmp_path / "c")
    assert isinstance(loaded, Mean)
    assert torch.equal(loaded.value, whole.value)


# What a checkpoint's run is


def test_frozen_layers_and_numpy_numbers_resume(tmp_path):
    def frozen():
        model = tiny(z_dim=np.int64(3))
        model.encoder.requires_grad_(False)
        return model

    whole, part, rest = frozen(), frozen(), frozen()
    train(whole, seed=np.int64(4))
    options = dict(seed=np.int64(4), checkpoint=tmp_path / "c")
    stop_after(3, lambda callback: train(part, callback=callback, callback_every=1, **options))
    train(rest, **options)
    assert torch.equal(weights(rest), weights(whole))
    assert load_weights(tmp_path / "c").config["z_dim"] == 3


def test_automatic_precision_is_that_of_the_checkpoint(tmp_path):
    options = dict(checkpoint=tmp_path / "c", callback_every=1)
    stop_after(3, lambda callback: train(tiny(), precision="bf16", callback=callback, **options))
    resumed = train(tiny(), precision="auto", **options)
    assert torch.equal(resumed.squared_error, train(tiny(), precision="bf16").squared_error)


def test_a_finished_checkpoint_calls_the_callback_once(tmp_path):
    train(tiny(), checkpoint=tmp_path / "c")
    seen = []
    train(tiny(), checkpoint=tmp_path / "c", callback=lambda m, h: seen.append(len(h.seconds)))
    assert seen == [6]


@pytest.mark.parametrize("in_the_way", ["a folder", "a file for a folder"])
def test_a_path_that_cannot_be_written_is_noticed_before_training(in_the_way, tmp_path):
    path = tmp_path / "folder" / "c"
    if in_the_way == "a folder":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("")
    with pytest.raises(OSError, match=f"cannot write {path}"):
        train(tiny(), callback=lambda *_: pytest.fail("it trained"), checkpoint=path)


# Values that are none


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": 3}, "pool is 3 at some update; it must divide 32 pixels"),
        ({"pool": 0}, "pool is 0 at some update; it must be whole, at least 1"),
        ({"pool": 1.5}, "pool is 1.5 at some update"),
        ({"lr": -1e-3}, "lr is -0.001 at some update; it must not be negative"),
        ({"lr": lambda u: 1e-3 - 1e-2 * u}, "lr is -.* it must not be negative"),
        ({"w": -1.0}, "w is -1 at"),
        ({"beta": float("nan")}, "beta is nan at some update; it must be finite"),
        ({"batch_size": 2.5}, "batch_size is 2.5 at"),
        ({"lr": "fast"}, "lr is 'fast'; it must be a number, or a function"),
        ({"beta": lambda u: None}, "beta is None"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_values_that_a_schedule_cannot_have_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        train(tiny(), **options)


IMAGES = circles_dataset(8, im_size=32).tensors[0]


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (255 * IMAGES, r"dataset has values from 0 to 255; images are in \[0, 1\]"),
        ((255 * IMAGES).byte(), "dataset holds torch.uint8"),
        (IMAGES[:, 0], r"dataset has shape \[8, 32, 32\]"),
        (IMAGES[:0], r"dataset has shape \[0, 1, 32, 32\]"),
        (IMAGES * float("nan"), "dataset has values from nan"),
        (DataLoader(TensorDataset(IMAGES)), "dataset is a DataLoader; it must be an endless one"),
        (list(IMAGES), "dataset is a list"),
        (None, "dataset is a NoneType"),
        (CircleStream(im_size=64), r"x has shape \[4, 1, 64, 64\]; this encoder takes"),
    ],
)
def test_what_is_no_data_set_is_named(dataset, message):
    with pytest.raises(ValueError, match=message):
        train(tiny(), dataset=dataset)


def test_images_may_come_as_tensor_tensordataset_subset_or_in_double_precision():
    images = IMAGES[:6]
    subset = Subset(TensorDataset(IMAGES, torch.arange(8)), range(6))
    reference = train(tiny(), dataset=TensorDataset(images)).squared_error
    for dataset in (images, subset):
        assert torch.equal(train(tiny(), dataset=dataset).squared_error, reference)
    double = train(tiny(), dataset=images.double()).squared_error
    torch.testing.assert_close(double, reference)
