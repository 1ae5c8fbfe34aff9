"""The checks of notebook 03: what nats buy, which latents sleep, what beta does to a run."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from sbd_utils.checks.kit import (
    Mistakes,
    as_array,
    call,
    expect,
    is_number,
    is_tensor,
    same,
    solved,
    unwritten,
)

RANGE = 48
"""Pixels over which a centre is spread, on either axis."""
AWAKE = 0.1
"""A latent with at least so many nats of KL is called awake here."""


def known_to(function: Callable[..., Any]) -> None:
    """Check to how many pixels a code of so many nats tells a position.

    Args:
        function: (nats of both coordinates together) -> standard deviation in pixels.
    """
    for nats in (0.0, 5.0, 11.5):
        got = call(function, nats=nats)
        if unwritten(got):
            return
        what = f"known_to({nats:g})"
        right = _deviation(nats / 2)
        same(is_number(got, what), right, what, _mistaken_deviations(nats), 1e-3, 0)
    solved("known_to")


def _deviation(nats: float) -> float:
    """Of a Gaussian whose entropy lies so many nats below that of a uniform coordinate."""
    return RANGE / math.exp(nats) / math.sqrt(2 * math.pi * math.e)


def _mistaken_deviations(nats: float) -> Mistakes:
    return {
        "these nats are shared by two coordinates: each has half.": _deviation(nats),
        "nats go with e, bits with 2.": _deviation(nats / 2 * math.log(2)),
        "this is the width of a uniform interval; a Gaussian of standard deviation s "
        "has the entropy log(s √(2πe)).": RANGE / math.exp(nats / 2),
        "an image has 64 pixels, but the centres keep 8 from each border: 48.": (
            _deviation(nats / 2) * 64 / RANGE
        ),
    }


def spread_of_means(spread: Any, means: Tensor, logvar: Tensor) -> None:
    """Check how far each latent's posterior mean moves from image to image.

    Args:
        spread: Standard deviation over the images, [z_dim].
        means: Posterior means [N, z_dim].
        logvar: Their log-variances [N, z_dim].
    """
    if unwritten(spread):
        return
    right = means.std(0)
    is_tensor(spread, tuple(right.shape), "the spread")
    posterior = (logvar / 2).exp().mean(0)
    mistakes = {
        "this is the variance; its root is asked for.": right.square(),
        "this is the posterior's own width; how far its *mean* moves is asked for.": posterior,
        "these are the means' means.": means.mean(0),
    }
    same(spread, right, "the spread", mistakes, 1e-2)
    solved("the spread")


def without_price(kl: Any, control: Tensor) -> None:
    """Check the KL of a run that did not pay for it.

    Args:
        kl: [T, z_dim], a history's.
        control: [T, z_dim], the same of the run with a price.
    """
    if unwritten(kl):
        return
    is_tensor(kl, tuple(control.shape), "the KL of the run")
    ratio = (kl[-20:].sum() / control[-20:].sum()).item()
    expect(
        ratio > 3,
        f"its KL ends at {ratio:.1f} times the control's: that run still pays. Is beta 0?",
    )
    solved("the run without a price")


def awake(answer: Any, runs: Mapping[str, ArrayLike], updates: ArrayLike, at: int) -> None:
    """Check how many latents are awake at an update in each of several runs.

    Args:
        answer: The numbers by the runs' names.
        runs: KL in nats [T, z_dim] by name.
        updates: [T], those of the rows.
        at: The update asked for.
    """
    if unwritten(answer):
        return
    row = int(np.abs(np.asarray(updates) - at).argmin())
    expect(isinstance(answer, Mapping), "a dict is asked for: the number by the run's name.")
    missing = sorted(set(runs) - set(answer))
    expect(not missing, f"no number for the run {', '.join(missing)}.")
    for name, kl in runs.items():
        levels = as_array(kl)[row]
        right = int((levels >= AWAKE).sum())
        number = is_number(answer[name], f"the number for the run {name}")
        asleep = len(levels) - right
        expect(number == right or number != asleep, f"{name}: you have counted those asleep.")
        where = f"the row of update {at} of runs['{name}']"
        expect(number == right, f"{name}: in {where} not {number:g} have at least {AWAKE} nats.")
    solved("the latents awake")
