"""How sure a share of runs is."""

import math
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends of a confidence interval."""

    low: float
    high: float


def exact_interval(successes: int, runs: int, level: float = 0.95) -> Interval:
    """The exact two-sided confidence interval of a probability, from counted successes.

    Clopper & Pearson 1934: the probabilities under which so many successes, or so few, would not be
    a surprise on either side.

    Args:
        successes: Of the runs.
        runs: At least 1.
        level: Of confidence, between 0 and 1.

    Raises:
        ValueError: The numbers are no such counts, or level is not between 0 and 1.

    Example:
        >>> low, high = exact_interval(10, 10)
        >>> round(low, 2), high
        (0.69, 1.0)
    """
    if runs < 1 or not 0 <= successes <= runs:
        counts = f"successes is {successes} and runs is {runs}"
        raise ValueError(f"{counts}; runs must be at least 1, and successes from 0 to runs")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must be between 0 and 1")
    surprise = (1 - level) / 2  # on either side
    failures = runs - successes
    low = 0.0 if successes == 0 else _least_probability(successes, runs, surprise)
    high = 1.0 if failures == 0 else 1 - _least_probability(failures, runs, surprise)
    return Interval(low, high)


def _least_probability(successes: int, runs: int, surprise: float) -> float:
    """The probability under which at least so many successes happen that often; by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):  # halvings: to the last bit of a float
        middle = (low + high) / 2
        if _at_least(successes, runs, middle) < surprise:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _at_least(successes: int, runs: int, probability: float) -> float:
    """The chance of so many successes or more."""
    total = 0.0
    for count in range(successes, runs + 1):
        chance = probability**count * (1 - probability) ** (runs - count)
        total += math.comb(runs, count) * chance
    return total
