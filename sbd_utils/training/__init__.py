"""Training: schedules, what is recorded, and a loop that can be stopped and resumed."""

from sbd_utils.training.history import History
from sbd_utils.training.loop import NotFiniteError, fast_precision, fit
from sbd_utils.training.schedules import (
    Schedule,
    beginning,
    piecewise_constant,
    piecewise_linear,
)

__all__ = [
    "History",
    "NotFiniteError",
    "Schedule",
    "beginning",
    "fast_precision",
    "fit",
    "piecewise_constant",
    "piecewise_linear",
]
