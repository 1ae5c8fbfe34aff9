"""A training loop that can be stopped anywhere and resumed bit for bit."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import Tensor, nn

from sbd_utils.checkpoint import load_checkpoint, read_identity, save_checkpoint, uncompiled
from sbd_utils.data import Batches, as_batches, check_images, step_seed
from sbd_utils.files import check_writable
from sbd_utils.models import Loss, Model
from sbd_utils.training.history import History, Log
from sbd_utils.training.interrupt import postponed_interrupt
from sbd_utils.training.processes import Processes
from sbd_utils.training.schedules import Plan, Schedule, with_defaults

Callback = Callable[[Any, History], bool | None]


class NotFiniteError(RuntimeError):
    """Training met a loss that is not finite."""


def fit(
    model: Any,
    dataset: Any,
    steps: int,
    *,
    lr: Schedule = 1e-3,
    batch_size: Schedule = 32,
    seed: int = 0,
    precision: str = "fp32",
    device: str | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    callback: Callback | None = None,
    callback_every: int = 50,
    progress: bool = True,
    accelerator: Any = None,
    clip: float = math.inf,
    **weights: Schedule,
) -> History:
    """Train a model with Adam on its own `loss`; it is changed in place and left in eval mode.

    Where it trains on a GPU, it is there in callbacks, and comes back at the end to where it was.

    Every random number depends on nothing but (seed, step). So a run that is killed and resumed
    ends with the same bits as one that is not (same machine, same number of threads).

    An interrupt (Ctrl-C, a notebook's stop button) ends training after the update at hand, writes
    the checkpoint, and returns what was recorded so far; a second one raises KeyboardInterrupt.

    Args:
        model: A `VAE`, or another `Model`.
        dataset: An endless one, as `CircleStream`; or images [M, C, H, H] in [0, 1], as a tensor,
            a TensorDataset or a Subset of one, which are shuffled anew each epoch.
        steps: Number of updates in all.
        lr: Learning rate. This and every other schedule is a number, or a function of the progress
            step / steps.
        batch_size: Images for each update.
        seed: Of shuffling and noise.
        precision: 'fp32', 'bf16' (autocast) or 'auto', see `fast_precision`; 'auto' takes that of
            the checkpoint, if there is one.
        device: By default a GPU if there is one.
        checkpoint: A file that is written every `checkpoint_every` updates and at the end, and from
            which training goes on if it exists.
        checkpoint_every: In updates.
        callback: Called with the model and the history every `callback_every` updates and at the
            end; training ends if it returns True.
        callback_every: In updates.
        progress: Whether to show a bar.
        accelerator: A Hugging Face `Accelerator`; batch_size is then that of all its processes
            together.
        clip: The gradient of all weights together is scaled down to this length if it is longer.
        **weights: Schedules that the model's loss takes: for a VAE `w`, `beta` and `pool`.

    Raises:
        ValueError: A bad argument, or a checkpoint of another run.
        TypeError: An argument that neither `fit` nor the model's loss takes.
        NotFiniteError: A loss was not finite; the message names the update, and the last good
            checkpoint is kept.
        CorruptFileError: The checkpoint is damaged.
        OSError: The checkpoint cannot be written; this is tried before the first update.

    Example:
        >>> from sbd_utils import VAE, CircleStream
        >>> model = VAE(im_size=32, channels=4)
        >>> history = fit(model, CircleStream(im_size=32), steps=3, beta=4.0, progress=False)
        >>> history.kl.shape, history.beta.tolist()
        (torch.Size([3, 10]), [4.0, 4.0, 4.0])
    """
    from tqdm.auto import tqdm  # here, so that the objective alone does without

    every = {"checkpoint_every": checkpoint_every, "callback_every": callback_every}
    for name, value in {"steps": steps, **every}.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    if not clip > 0:
        raise ValueError(f"clip is {clip}; it must be above 0")
    model = uncompiled(model)
    schedules = {"lr": lr, "batch_size": batch_size, **with_defaults(model, weights)}
    processes = Processes(accelerator, device)
    if precision == "auto":
        precision = _precision_of(checkpoint) or fast_precision(processes.device.type)
    home = next(model.parameters()).device
    run = Run(model, dataset, Plan(steps, schedules), seed, precision, processes, clip)
    if checkpoint is not None:
        run.resume(checkpoint)
    between = _Between(run, checkpoint, checkpoint_every, callback, callback_every)
    show = progress and processes.main
    bar = tqdm(total=steps, initial=run.step, unit="update", disable=not show, mininterval=0.5)
    try:
        with bar, postponed_interrupt() as interrupted:
            finished = run.step == steps
            if finished:
                between.call()
            while not finished:
                run.update()
                finished = run.step == steps or processes.any(interrupted.is_set())
                between.do_what_is_due(finished, interrupted)
                bar.set_postfix_str(between.words, refresh=False)
                bar.update()
    finally:
        model.eval().to(home)
    return run.history()


class _Between:
    """What happens between two updates: a look at the loss, a checkpoint, a callback."""

    def __init__(
        self,
        run: "Run",
        checkpoint: str | Path | None,
        checkpoint_every: int,
        callback: Callback | None,
        callback_every: int,
    ) -> None:
        self.run, self.words = run, ""
        self.checkpoint, self.checkpoint_every = checkpoint, checkpoint_every
        self.callback, self.callback_every = callback, callback_every

    def do_what_is_due(self, finished: bool, interrupted: Event) -> None:
        """Do what falls on this update; the loss is looked at before anything is kept."""
        step, processes = self.run.step, self.run.processes
        saving = self.checkpoint is not None and _due(step, self.checkpoint_every, finished)
        calling = self.callback is not None and _due(step, self.callback_every, finished)
        if saving or calling or _due(step, processes.check_every, finished):
            self.words = self.run.check_finite()
        if self.checkpoint is not None and saving and processes.main:
            self.run.save(self.checkpoint)
        if calling and self.call():
            interrupted.set()

    def call(self) -> bool:
        """Call the callback; whether it wants training to end."""
        if self.callback is None or not self.run.processes.main:
            return False
        return self.callback(self.run.model, self.run.history()) is True


class Run:
    """A training run's state between two updates: model, optimizer, step and log."""

    def __init__(
        self,
        model: Any,
        dataset: Any,
        plan: Plan,
        seed: int,
        precision: str,
        processes: Processes,
        clip: float = math.inf,
    ) -> None:
        """Put the model on its device and check what it will be trained on."""
        if precision not in ("fp32", "bf16"):
            raise ValueError(f"precision is {precision!r}; it must be 'fp32', 'bf16' or 'auto'")
        processes.check_sizes(plan.batch_sizes)
        self.plan, self.seed, self.precision, self.processes = plan, seed, precision, processes
        self.clip = clip
        self.batches: Batches = as_batches(dataset, plan.batch_sizes, seed)
        self.model = model.to(device=processes.device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(model.parameters())
        self.objective = processes.wrap(_Objective(model))  # the same weights
        self.log = Log(len(plan.table), processes.device)
        self.step = self.checked = 0
        self.looked_at_images = False

    def update(self) -> None:
        """One step of Adam, whatever modes the session or a callback left behind."""
        start, cpu_start = time.perf_counter(), time.process_time()
        values = self.plan.at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = values.pop("lr", group["lr"])
        images, noise = self.draw(int(values.pop("batch_size")))
        self.model.train()
        with torch.inference_mode(False), torch.enable_grad():
            with self._autocast():
                loss = self.objective(images, noise, values)
            self.optimizer.zero_grad(set_to_none=True)
            self.processes.backward(loss.total)
        if self.clip < math.inf:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        parts = self.processes.mean(loss.parts)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        self.log.record(self.step, parts, seconds, cpu)
        self.step += 1

    def draw(self, size: int) -> tuple[Tensor, Callable[..., Tensor]]:
        """This process's share of the images of the step, and of its noise."""
        device, share = self.processes.device, self.processes.share(size)
        generator = torch.Generator(device)
        generator.manual_seed(step_seed(self.seed, self.step, "noise"))

        def noise(*shape: int) -> Tensor:
            whole = torch.randn(
                size, *shape, generator=generator, device=device, dtype=torch.float32
            )
            return whole[share]

        images = self.batches.batch(self.step, size, share, device)[0]
        if not self.looked_at_images:
            self._check_images(images)
        like = next(self.model.parameters())
        return images.to(like.dtype, memory_format=torch.channels_last), noise

    def check_finite(self) -> str:
        """Describe the last update.

        Raises:
            NotFiniteError: The loss of an update since the last check was not finite.
        """
        step = self.log.first_not_finite(self.checked, self.step)
        if step is not None:
            lr = self.plan["lr"][step].item()
            raise NotFiniteError(
                f"the loss was not finite at step {step} (learning rate {lr:g}). The last "
                "checkpoint is kept, the model in memory is spoilt. Try a lower learning rate, "
                "and look for images that are not finite."
            )
        self.checked = self.step
        return self.log.describe(self.step - 1)

    def history(self) -> History:
        """What was recorded so far."""
        schedules = {name: self.plan[name] for name in self.plan.names}
        return self.log.history(self.step, schedules)

    def identity(self) -> dict[str, Any]:
        """What must agree between a checkpoint and the run that goes on from it."""
        return {
            "dataset": self.batches.identity(),
            "seed": self.seed,
            "precision": self.precision,
            "steps": len(self.plan.table),
            **({"clip": self.clip} if self.clip < math.inf else {}),
            **self.plan.identity(),
        }

    def save(self, path: str | Path) -> None:
        """Write the checkpoint."""
        log = self.log.state(self.step)
        save_checkpoint(path, self.model, self.optimizer, log, self.step, self.identity())

    def resume(self, path: str | Path) -> None:
        """Go on from a checkpoint, if there is one; see that it could be written."""
        check_writable(path)
        if not Path(path).is_file():
            return
        self.step, log = load_checkpoint(path, self.model, self.optimizer, self.identity())
        self.log.load(log)
        self.checked = self.step

    def _autocast(self) -> torch.autocast:
        enabled = self.precision == "bf16"
        return torch.autocast(self.processes.device.type, torch.bfloat16, enabled=enabled)

    def _check_images(self, images: Tensor) -> None:
        """Raise ValueError for images, or blocks of their pixels at any update, that are none."""
        check_images("dataset", images)
        pools = self.plan["pool"].unique().int().tolist() if "pool" in self.plan.names else []
        for pool in pools:
            if images.shape[-1] % pool:
                wanted = f"it must divide {images.shape[-1]} pixels"
                raise ValueError(f"pool is {pool} at some update; {wanted}")
        self.looked_at_images = True


class _Objective(nn.Module):
    """A model and its loss as one module: what is wrapped for several processes is called whole."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, noise: Any, weights: Mapping[str, float]) -> Loss:
        return self.model.loss(images, noise, **weights)


def fast_precision(device_type: str) -> str:
    """'bf16' where the processor multiplies bfloat16 faster than float32, else 'fp32'.

    That is on most GPUs since 2020, and on CPUs with the AVX-512 or AMX instructions for it, unless
    oneDNN, which multiplies there, is told to do without (ONEDNN_MAX_CPU_ISA).
    """
    if device_type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    capable = torch.cpu.get_capabilities()
    has_bf16 = capable.get("avx512_bf16") or capable.get("amx_bf16")
    return "bf16" if has_bf16 and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "fp32"


def _precision_of(checkpoint: str | Path | None) -> str | None:
    """The precision of the run that a checkpoint holds, if there is one."""
    if checkpoint is None or not Path(checkpoint).is_file():
        return None
    return read_identity(checkpoint)["precision"]


def _due(step: int, every: int, finished: bool) -> bool:
    return finished or step % every == 0
