"""The objective, and a training loop that can be stopped anywhere and resumed bit for bit."""

import contextlib
import hashlib
import itertools
import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from sbd_utils.datasets import step_seed
from sbd_utils.files import CorruptFileError, load_tensors, save_tensors
from sbd_utils.models import VAE

Schedule = float | Callable[[float], float]


class Loss(NamedTuple):
    """What `elbo_loss` returns; the parts carry gradients, too."""

    total: Tensor
    """w * squared_error + beta * kl.sum(), a scalar."""
    squared_error: Tensor
    """Summed over the pixels of an image, averaged over the batch; a scalar."""
    kl: Tensor
    """KL divergence of each latent to the prior in nats, averaged over the batch; [z_dim]."""


def kl_divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of every latent in nats, [N, z_dim]; Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + logvar.exp() - logvar - 1)


def elbo_loss(
    x: Tensor, reconstruction: Tensor, mean: Tensor, logvar: Tensor, w: float = 10.0, beta: float = 1.0
) -> Loss:
    """The negative ELBO of a Gaussian likelihood of variance 1 / (2 w), less a constant; beta: Higgins et al. 2017.

    x, reconstruction: [N, C, H, W]; mean, logvar: [N, z_dim].
    The squared error is *summed* over pixels and the KL over latents; both are averaged over the batch only.
    Doubling w and beta together doubles the loss and moves no optimum: they are one knob, beta / w.
    """
    squared_error = (reconstruction - x).square().sum((1, 2, 3)).mean()
    kl = kl_divergence(mean, logvar).mean(0)  # [z_dim]
    return Loss(w * squared_error + beta * kl.sum(), squared_error, kl)


def piecewise_linear(*points: tuple[float, float]) -> Callable[[float], float]:
    """A schedule through points (progress, value); progress runs from 0 to 1, values beyond the ends are held.

    Raises ValueError if progress does not increase from point to point.
    """
    pairs = list(itertools.pairwise(points))
    if not points or any(a[0] >= b[0] for a, b in pairs):
        raise ValueError(f"points are {points}; at least one is needed, and progress must increase")

    def value(progress: float) -> float:
        for (u0, v0), (u1, v1) in pairs:
            if progress < u1:
                return v0 + (v1 - v0) * max(progress - u0, 0) / (u1 - u0)
        return points[-1][1]

    return value


def piecewise_constant(*points: tuple[float, float]) -> Callable[[float], float]:
    """A schedule that takes each value of the points (progress, value) from that progress on; the first is at 0."""
    if not points or points[0][0] != 0 or any(a[0] >= b[0] for a, b in itertools.pairwise(points)):
        raise ValueError(f"points are {points}; progress must begin at 0 and increase")
    return lambda progress: next(value for start, value in reversed(points) if progress >= start)


class History(NamedTuple):
    """What training recorded, one entry per update made so far (T of them)."""

    squared_error: Tensor
    """[T], see `Loss`; of the training batch, with codes sampled from the posterior."""
    kl: Tensor
    """[T, z_dim] in nats."""
    beta: Tensor
    """[T]"""
    lr: Tensor
    """[T]"""
    seconds: Tensor
    """[T] training time so far, all sessions together."""


class NotFiniteError(RuntimeError):
    """Training met a loss that is not finite."""


def fit(
    model: VAE,
    dataset: Dataset,
    steps: int,
    *,
    batch_size: Schedule = 32,
    lr: Schedule = 1e-3,
    beta: Schedule = 1.0,
    w: float = 10.0,
    pool: Schedule = 1,
    seed: int = 0,
    precision: str = "fp32",
    device: str | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    callback: Callable[[VAE, History], bool | None] | None = None,
    callback_every: int = 50,
    progress: bool = True,
    accelerator=None,
) -> History:
    """Train a VAE with Adam on `elbo_loss`; the model is changed in place and left in eval mode.

    dataset: a TensorDataset whose first tensor holds the images [N, C, H, H], shuffled anew each epoch, or an endless
        one with a `batch(step, batch_size, part, device)` method, as `CircleStream`.
    steps: number of updates in all.
    lr, beta, batch_size, pool: numbers, or functions of the progress step / steps. pool (1, 2, 4, ...): the decoder is
        asked for means of blocks of that many pixels' width, which is cheaper, and early in training better.
    w: weight of the squared error. seed: of shuffling and posterior noise.
    precision: 'fp32', 'bf16' (autocast) or 'auto', see `fast_precision`. device: by default a GPU if there is one.
    checkpoint: a file that is written every `checkpoint_every` updates and at the end, and from which training goes on
        if it exists. Killed and resumed, training ends with the same bits as without the kill (same machine, same
        number of threads): every random number depends on nothing but (seed, step).
    callback: called with the model and the history every `callback_every` updates and at the end; training ends if it
        returns True.
    accelerator: a Hugging Face `Accelerator`; batch_size is then that of all its processes together.

    An interrupt (Ctrl-C, a notebook's stop button) ends training after the update at hand, writes the checkpoint, and
    returns what was recorded so far; a second one raises KeyboardInterrupt.
    Raises ValueError for a bad argument or a checkpoint of another run, NotFiniteError, naming the step (the last good
    checkpoint is kept), CorruptFileError for a damaged checkpoint, OSError if one cannot be written.
    """
    from tqdm.auto import tqdm  # here, so that the objective alone does without

    counts = dict(steps=steps, checkpoint_every=checkpoint_every, callback_every=callback_every)
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(accelerator.device if accelerator else device or automatic)
    precision = fast_precision(device.type) if precision == "auto" else precision
    if precision not in ("fp32", "bf16"):
        raise ValueError(f"precision is {precision!r}; it must be 'fp32', 'bf16' or 'auto'")
    settings = dict(w=w, seed=seed, precision=precision)
    schedules = [_as_function(schedule) for schedule in (lr, beta, pool, batch_size)]
    run = _Run(model, dataset, steps, settings, schedules, device, accelerator)
    if checkpoint is not None and Path(checkpoint).exists():
        run.load(checkpoint)

    check_every = 1 if device.type == "cpu" else 50  # to read a loss makes a GPU wait
    main = accelerator is None or accelerator.is_main_process
    bar = tqdm(total=steps, initial=run.step, unit="update", disable=not (progress and main), mininterval=0.5)
    with bar, _postponed_interrupt() as interrupted:
        finished = run.step == steps
        while not finished:
            run.update()
            finished = run.step == steps or run.any_process(interrupted.is_set())
            saving = checkpoint is not None and (finished or run.step % checkpoint_every == 0)
            calling = callback is not None and (finished or run.step % callback_every == 0)
            if finished or saving or calling or run.step % check_every == 0:
                bar.set_postfix_str(run.check_finite(), refresh=False)
            if saving and main:
                run.save(checkpoint)
            if calling and main and callback(model, run.history()) is True:
                interrupted.set()
            bar.update()
    model.eval()
    return run.history()


class _Run:
    """A training run's state between two updates: model, optimiser, step and log."""

    def __init__(self, model: VAE, dataset, steps: int, settings: dict, schedules: list, device, accelerator):
        model.to(device=device, memory_format=torch.channels_last).train()
        self.model, self.dataset, self.steps, self.device = model, dataset, steps, device
        self.settings, self.accelerator = settings, accelerator
        self.step, self.seconds, self.checked = 0, 0.0, 0
        # Learning rate, beta, pool and batch size of every step, [steps, 4].
        self.plan = torch.tensor([[schedule(i / steps) for schedule in schedules] for i in range(steps)])
        self.shown = self.plan[:, 3].long().cumsum(0)  # [steps] images drawn by the end of each step
        # Squared error, then the KL of each latent, then the time.
        self.log = torch.zeros(steps, 2 + model.config["z_dim"], device=device)

        self.world, self.rank = (accelerator.num_processes, accelerator.process_index) if accelerator else (1, 0)
        for size in self.plan[:, 3].unique().tolist():
            if size < 1 or size % self.world:
                raise ValueError(f"batch_size is {size:g}; it must be a positive multiple of {self.world} (processes)")
        self.optimizer = torch.optim.Adam(model.parameters())
        self.trained = accelerator.prepare(model) if accelerator else model  # the same weights

    def update(self) -> None:
        """One step of Adam."""
        start = time.perf_counter()
        lr, beta, pool, batch_size = self.plan[self.step].tolist()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        x, noise = self.draw(int(batch_size))  # [n, C, H, H], [n, z_dim]
        loss = self.loss(x, noise, int(pool), beta)
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss.total) if self.accelerator else loss.total.backward()
        self.optimizer.step()
        self.record(loss, time.perf_counter() - start)
        self.step += 1

    def loss(self, x: Tensor, noise: Tensor, pool: int, beta: float) -> Loss:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings["precision"] == "bf16"):
            reconstruction, mean, logvar = self.trained(x, noise, pool)
        if pool > 1:  # a block's mean stands for pool² pixels: repeat its error as often
            x, reconstruction = pool * nn.functional.avg_pool2d(x, pool), pool * reconstruction
        return elbo_loss(x, reconstruction.float(), mean.float(), logvar.float(), self.settings["w"], beta)

    def draw(self, size: int) -> tuple[Tensor, Tensor]:
        """This process's share of the images and of the posterior noise of the step."""
        seed, each = self.settings["seed"], size // self.world
        share = slice(self.rank * each, (self.rank + 1) * each)
        generator = torch.Generator(self.device).manual_seed(step_seed(seed, self.step, "noise"))
        noise = torch.randn(size, self.model.config["z_dim"], generator=generator, device=self.device)
        if hasattr(self.dataset, "batch"):
            x = self.dataset.batch(self.step, size, share, self.device)[0]
        else:
            images = self.dataset.tensors[0]
            x = images[_shuffled(len(images), self.shown[self.step].item() - size, size, seed)[share]].to(self.device)
        return x.to(memory_format=torch.channels_last), noise[share]

    def record(self, loss: Loss, seconds: float) -> None:
        values = torch.cat([loss.squared_error.detach()[None], loss.kl.detach()])  # [1 + z_dim]
        if self.accelerator:
            values = self.accelerator.reduce(values, "mean")
        self.seconds += seconds
        self.log[self.step, :-1] = values
        self.log[self.step, -1] = self.seconds

    def check_finite(self) -> str:
        """Raise NotFiniteError for the first update since the last check whose loss was not finite; else describe."""
        bad = (~self.log[self.checked : self.step].isfinite().all(1)).nonzero()
        if len(bad):
            step, lr = self.checked + bad[0].item(), self.plan[self.checked + bad[0].item(), 0].item()
            raise NotFiniteError(
                f"the loss was not finite at step {step} (learning rate {lr:g}). The last checkpoint is kept, "
                "the model in memory is spoilt. Try a lower learning rate, and look for images that are not finite."
            )
        self.checked = self.step
        squared_error, kl = self.log[self.step - 1, 0].item(), self.log[self.step - 1, 1:-1].sum().item()
        return f"squared error {squared_error:.1f}, KL {kl:.1f} nats"

    def any_process(self, flag: bool) -> bool:
        """Whether the flag is set in any process: all must stop at the same step."""
        if self.accelerator is None or self.accelerator.num_processes == 1:
            return flag
        return bool(self.accelerator.reduce(torch.tensor(float(flag), device=self.device), "sum").item())

    def history(self) -> History:
        log, plan = self.log[: self.step].cpu(), self.plan[: self.step]
        return History(
            log[:, 0].clone(), log[:, 1:-1].clone(), plan[:, 1].clone(), plan[:, 0].clone(), log[:, -1].clone()
        )

    def identity(self) -> dict[str, str]:
        """What must agree between a checkpoint and the run that goes on from it."""
        plan = hashlib.sha256(self.plan.numpy().tobytes()).hexdigest()
        values = {"vae": self.model.config, **self.settings, "steps": self.steps, "schedules": plan}
        return {name: json.dumps(value) for name, value in values.items()}

    def save(self, path: str | Path) -> None:
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            tensors |= {f"adam.{name}.{key}": value for key, value in self.optimizer.state[parameter].items()}
        tensors["log"] = self.log[: self.step]
        save_tensors(path, tensors, {**self.identity(), "kind": "checkpoint", "step": str(self.step)})

    def load(self, path: str | Path) -> None:
        tensors, metadata = load_tensors(path)
        if metadata.get("kind") != "checkpoint":
            raise CorruptFileError(f"{path} holds no checkpoint; name another file, or move this one away")
        for name, value in self.identity().items():
            if metadata.get(name) != value:
                raise ValueError(
                    f"{path} is the checkpoint of another run: its {name} is {metadata.get(name)}, not {value}. "
                    "Resume with the same arguments, or name another file."
                )
        self.model.load_state_dict({k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")})
        for name, parameter in self.model.named_parameters():
            keys = ("step", "exp_avg", "exp_avg_sq")
            state = {key: tensors[f"adam.{name}.{key}"] for key in keys}
            # The moments take the parameter's memory layout, as they had it before.
            state |= {key: torch.empty_like(parameter).copy_(state[key]) for key in keys[1:]}
            self.optimizer.state[parameter] = state
        self.step = self.checked = int(metadata["step"])
        self.log[: self.step] = tensors["log"].to(self.device)
        self.seconds = self.log[self.step - 1, -1].item()


def save_weights(model: VAE, path: str | Path) -> Path:
    """Write a model's weights, and what it takes to build it, to a safetensors file, atomically."""
    return save_tensors(path, model.state_dict(), {"vae": json.dumps(model.config)})


def fast_precision(device_type: str) -> str:
    """'bf16' where the processor multiplies bfloat16 faster than float32 (most GPUs since 2020, CPUs with the AVX-512
    or AMX instructions for it), else 'fp32'."""
    if device_type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    capable = torch.cpu.get_capabilities()
    return "bf16" if capable.get("avx512_bf16") or capable.get("amx_bf16") else "fp32"


def _as_function(schedule: Schedule) -> Callable[[float], float]:
    return schedule if callable(schedule) else lambda progress: schedule


def _shuffled(num_images: int, start: int, count: int, seed: int) -> Tensor:
    """Indices start ... start + count of an endless sequence of epochs, each shuffled by (seed, epoch)."""
    parts = []
    while count > 0:
        epoch, offset = divmod(start, num_images)
        generator = torch.Generator().manual_seed(step_seed(seed, epoch, "order"))
        part = torch.randperm(num_images, generator=generator)[offset : offset + count]
        parts.append(part)
        start, count = start + len(part), count - len(part)
    return torch.cat(parts)


@contextlib.contextmanager
def _postponed_interrupt():
    """Within the block, the first interrupt sets the event that is given, instead of raising KeyboardInterrupt."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # only the main thread can receive signals
        return

    def handle(number, frame):
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
