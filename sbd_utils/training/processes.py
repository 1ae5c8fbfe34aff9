"""One process, or several that train together with Hugging Face Accelerate."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Processes:
    """Who trains, and on what: this process alone, or with the others of an accelerator."""

    def __init__(self, accelerator: Any = None, device: str | None = None) -> None:
        """Choose the device.

        Args:
            accelerator: A Hugging Face `Accelerator`, or None for this process alone.
            device: By default the accelerator's, else a GPU if there is one.
        """
        self.accelerator = accelerator
        automatic = "cuda" if torch.cuda.is_available() else "cpu"
        chosen = accelerator.device if accelerator else device or automatic
        self.device = torch.device(chosen)
        self.count = accelerator.num_processes if accelerator else 1
        self.rank = accelerator.process_index if accelerator else 0
        self.main = accelerator is None or accelerator.is_main_process
        # Updates between two looks at the loss: to read a number makes a GPU wait.
        self.check_every = 1 if self.device.type == "cpu" else 50

    def check_sizes(self, batch_sizes: list[int]) -> None:
        """Raise ValueError for a batch that the processes cannot share evenly."""
        for size in sorted(set(batch_sizes)):
            if size % self.count:
                wanted = f"a positive multiple of {self.count} (processes)"
                raise ValueError(f"batch_size is {size}; it must be {wanted}")

    def share(self, size: int) -> slice:
        """This process's part of a batch."""
        each = size // self.count
        return slice(self.rank * each, (self.rank + 1) * each)

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, with gradients averaged over all processes."""
        return self.accelerator.prepare(module) if self.accelerator else module

    def backward(self, loss: Tensor) -> None:
        """Compute gradients."""
        if self.accelerator:
            self.accelerator.backward(loss)
        else:
            loss.backward()

    def mean(self, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each part averaged over all processes, without gradients."""
        values = {name: value.detach() for name, value in parts.items()}
        if self.accelerator:
            values = {name: self.accelerator.reduce(v, "mean") for name, v in values.items()}
        return values

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process: all must stop at the same step."""
        if self.count == 1:
            return flag
        sum_ = self.accelerator.reduce(torch.tensor(float(flag), device=self.device), "sum")
        return bool(sum_.item())
