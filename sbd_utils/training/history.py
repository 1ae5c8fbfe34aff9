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
        parts = self.__dict__.get("parts", {})  # this way, since a copy in the making has neither
        schedules = self.__dict__.get("schedules", {})
        series = {**schedules, **parts}
        if name not in series:
            raise AttributeError(f"this history has no {name!r}")
        return series[name]


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
        spent = torch.tensor([seconds, cpu], dtype=torch.float64)
        self.times[step] = self.times[step - 1] + spent if step else spent

    def first_not_finite(self, start: int, stop: int) -> int | None:
        """The first update in [start, stop) with a part that is not finite."""
        good = torch.ones(stop - start, dtype=torch.bool, device=self.device)
        for values in self.parts.values():
            part = values[start:stop].reshape(stop - start, -1)
            good &= part.isfinite().all(1)
        bad = (~good).nonzero()
        return start + int(bad[0]) if len(bad) else None

    def describe(self, step: int) -> str:
        """The parts of an update in words, vectors by their sum."""
        words = []
        for name, values in self.parts.items():
            total = values[step].sum().item()
            words.append(f"{name.replace('_', ' ')} {total:.1f}")
        return ", ".join(words)

    def state(self, stop: int) -> dict[str, Tensor]:
        """All that was recorded before update `stop`, by name."""
        parts = {name: values[:stop] for name, values in self.parts.items()}
        return {**parts, "times": self.times[:stop]}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        parts = dict(state)
        times = parts.pop("times")
        self.times[: len(times)] = times
        for name, values in parts.items():
            shape = (self.steps, *values.shape[1:])
            room = torch.zeros(shape, dtype=torch.float32, device=self.device)
            room[: len(values)] = values
            self.parts[name] = room

    def history(self, stop: int, schedules: Mapping[str, Tensor]) -> History:
        """What was recorded before update `stop`, on the CPU, apart from the log."""
        parts = {name: values[:stop].cpu().clone() for name, values in self.parts.items()}
        given = {name: values[:stop].clone() for name, values in schedules.items()}
        return History(
            parts=parts,
            schedules=given,
            seconds=self.times[:stop, 0].clone(),
            processor_seconds=self.times[:stop, 1].clone(),
        )
