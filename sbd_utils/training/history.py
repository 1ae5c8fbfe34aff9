"""What training records: every part of the loss, every schedule and the time, for each update."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class History:
    """What training recorded, one entry per update made so far (T of them).

    A part of the loss or a schedule is an attribute, too: `history.squared_error` [T],
    `history.kl` [T, z_dim], `history.beta` [T].
    """

    parts: dict[str, Tensor]
    """Parts of the loss by name, [T] or [T, K], of the training batch; see the model's `loss`."""
    schedules: dict[str, Tensor]
    """[T] by name: 'lr', 'batch_size' and what the loss was given."""
    seconds: Tensor
    """[T] training time so far, all sessions together."""
    processor_seconds: Tensor
    """[T] processor time so far, all threads of this process together, all sessions."""

    def __getattr__(self, name: str) -> Tensor:
        """The part or schedule of that name."""
        for values in (self.__dict__.get("parts", {}), self.__dict__.get("schedules", {})):
            if name in values:
                return values[name]
        raise AttributeError(f"this history has no {name!r}")


class Log:
    """Room for what a run records, on its device, so that no update waits for it."""

    def __init__(self, steps: int, device: torch.device) -> None:
        """An empty log; the parts are known from the first update on."""
        self.steps, self.device = steps, device
        self.parts: dict[str, Tensor] = {}  # [steps] or [steps, K] each
        # Seconds, and processor seconds, up to and with each update.
        self.times = torch.zeros(steps, 2, dtype=torch.float64)

    def record(self, step: int, parts: Mapping[str, Tensor], seconds: float, cpu: float) -> None:
        """Note an update that took so many seconds, and processor seconds."""
        for name, value in parts.items():
            if name not in self.parts:
                shape = (self.steps, *value.shape)
                self.parts[name] = torch.zeros(shape, dtype=torch.float32, device=self.device)
            self.parts[name][step] = value.detach()
        before = self.times[step - 1] if step else torch.zeros(2, dtype=torch.float64)
        self.times[step] = before + torch.tensor([seconds, cpu], dtype=torch.float64)

    def first_not_finite(self, start: int, stop: int) -> int | None:
        """The first update in [start, stop) with a part that is not finite."""
        good = torch.ones(stop - start, dtype=torch.bool, device=self.device)
        for values in self.parts.values():
            good &= values[start:stop].reshape(stop - start, -1).isfinite().all(1)
        bad = (~good).nonzero()
        return start + int(bad[0]) if len(bad) else None

    def describe(self, step: int) -> str:
        """The parts of an update in words, vectors by their sum."""
        totals = {name: values[step].sum().item() for name, values in self.parts.items()}
        words = {name.replace("_", " "): value for name, value in totals.items()}
        return ", ".join(f"{name} {value:.1f}" for name, value in words.items())

    def state(self, stop: int) -> dict[str, Tensor]:
        """All that was recorded before update `stop`, by name."""
        return {**{name: v[:stop] for name, v in self.parts.items()}, "times": self.times[:stop]}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        for name, values in state.items():
            if name == "times":
                self.times[: len(values)] = values
                continue
            shape = (self.steps, *values.shape[1:])
            self.parts[name] = torch.zeros(shape, dtype=values.dtype, device=self.device)
            self.parts[name][: len(values)] = values

    def history(self, stop: int, schedules: Mapping[str, Tensor]) -> History:
        """What was recorded before update `stop`, on the CPU, apart from the log."""
        return History(
            parts={name: values[:stop].cpu().clone() for name, values in self.parts.items()},
            schedules={name: values[:stop].clone() for name, values in schedules.items()},
            seconds=self.times[:stop, 0].clone(),
            processor_seconds=self.times[:stop, 1].clone(),
        )
