"""The checks of assignment 4: a summary of pairs, a sign test, the record of an experiment."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sbd_utils.checks.kit import (
    Mistakes,
    call,
    expect,
    is_number,
    parts,
    passed,
    same,
    told_apart,
)

# Task 1: a summary of pairs


def paired_summary(function: Callable[..., Any]) -> None:
    """Check a function that compares scores seed by seed.

    Args:
        function: (a [S], b [S]) -> mean difference, its standard error, number of seeds with a > b.
    """
    a, b = np.array([3.0, 5, 7, 4]), np.array([1.0, 4, 8, 1])  # differences 2, 1, -1, 3
    difference, error, wins = three_numbers(call(function, a=a, b=b))
    same(difference, 1.25, "the mean difference", mistaken_differences(a - b))
    right = (a - b).std(ddof=1) / 2
    same(error, right, "the standard error", mistaken_errors(a, b))
    mistakes = {
        "these are the seeds with a < b.": 1,
        "this is a share; the number of seeds is asked for.": 0.75,
    }
    same(wins, 3, "the number of seeds with a > b", mistakes)
    _small_scores(function, a, b, right)
    _equal_scores(function)
    passed("paired_summary")


def three_numbers(answer: Any) -> list[float]:
    """Difference, error and wins, if these are three numbers."""
    several = parts(answer, 3, "three numbers are asked for: difference, error, wins.")
    names = ["difference", "error", "wins"]
    return [is_number(value, name) for value, name in zip(several, names, strict=True)]


def mistaken_differences(d: np.ndarray) -> Mistakes:
    """What the usual mistakes make of the mean of differences [S]."""
    return {
        "the sign is wrong: the difference is a - b.": -d.mean(),
        "this is a sum; the mean is asked for.": d.sum(),
        "these are distances; signs count.": np.abs(d).mean(),
        "this is the median; the mean is asked for.": np.median(d),
    }


def mistaken_errors(a: np.ndarray, b: np.ndarray) -> Mistakes:
    """What the usual mistakes make of the standard error of the mean difference."""
    d, count = a - b, len(a)
    unpaired = np.sqrt(a.var(ddof=1) / count + b.var(ddof=1) / count)
    deviation = d.std(ddof=1)
    return {
        "divide by S - 1 for the variance of a sample (ddof=1).": d.std() / np.sqrt(count),
        "this is the standard deviation; the standard error of a mean is that "
        "divided by √S.": deviation,
        "this is the standard deviation with ddof=0; the standard error is "
        "divided by √S, and has S - 1 within.": d.std(),
        "this is the variance of the mean; take the root.": d.var(ddof=1) / count,
        "the runs are paired by seed: take the standard error of the differences, "
        "not of a and b apart.": unpaired,
        "divide by √S, not by S.": deviation / count,
    }


def _small_scores(function: Callable[..., Any], a: np.ndarray, b: np.ndarray, error: float) -> None:
    """Scores in lists, a million times smaller: everything but the wins is, too."""
    scale = 1e-6
    small = call(function, a=list(scale * a), b=list(scale * b))
    difference, small_error, wins = three_numbers(small)
    what = "of scores a million times smaller, in lists,"
    right = [scale * 1.25, scale * error]
    got = [difference, small_error]
    same(got, right, f"the mean difference and the error {what}", absolute=0)
    same(wins, 3, f"the number of seeds with a > b {what}")


def _equal_scores(function: Callable[..., Any]) -> None:
    """Pairs that are level are no wins, and differences that are all equal have no error."""
    level = np.array([1.0, 2, 3])
    got = three_numbers(call(function, a=level, b=level.copy()))
    same(got[0], 0, "the mean difference where all pairs are equal")
    same(got[1], 0, "the standard error where all differences are equal")
    wins = "the number of seeds with a > b where all pairs are equal"
    same(got[2], 0, wins, {"a pair that is equal is no win: a > b is asked for.": 3})


# Task 2: the sign test

# (wins, seeds): p-value, both sides, by adding binomial coefficients.
P_VALUES = {
    (9, 10): 22 / 1024,
    (1, 10): 22 / 1024,
    (5, 5): 2 / 32,
    (0, 5): 2 / 32,
    (3, 6): 1.0,
    (15, 21): 0.0783538818,
    (21, 21): 2 / 2**21,
    (40, 100): 0.0568879336,
}


def sign_test(function: Callable[..., Any]) -> None:
    """Check a function that gives the two-sided p-value of a sign test.

    Args:
        function: (wins, seeds) -> p-value.
    """
    for (wins, seeds), right in P_VALUES.items():
        what = f"sign_test({wins}, {seeds})"
        got = is_number(function(wins, seeds), what)
        probability, one = told_apart(got, 1)
        expect(got <= 1 + 1e-5, f"{what} is {probability}; a probability is at most {one}.")
        mistakes = mistaken_p_values(what) if seeds == 10 else {}
        same(got, right, what, mistakes, 1e-5, absolute=0)
    passed("sign_test")


def mistaken_p_values(what: str) -> Mistakes:
    """What the usual mistakes make of 9 wins, or of 1, in 10; outcomes have 1, 10, 45, ... ways."""
    return {
        f"{what}: this is one-sided; had b won as often, you would be as surprised: "
        "add that side.": 11 / 1024,
        f"{what}: you add what is more extreme; add the outcome that was seen, too.": 2 / 1024,
        f"{what}: you add what is more extreme on one side; add the outcome that was seen, "
        "and the other side.": 1 / 1024,
        f"{what}: this is the probability of one outcome; add those as extreme or more, "
        "on both sides.": 10 / 1024,
        f"{what}: this is 1 minus the p-value.": 1002 / 1024,
    }


# Task 4: the experiment


def rows(table: Any, fewest_seeds: int = 3) -> None:
    """Check the record of an experiment.

    Args:
        table: A list of dicts with 'decoder', 'seed' and numbers.
        fewest_seeds: Of each decoder.

    Raises:
        NotYet: These are not two decoders with the same seeds, and enough of them.
    """
    expect(isinstance(table, list) and table, "no runs are recorded in rows.")
    seeds: dict[str, list[Any]] = {}
    for row in table:
        has_keys = isinstance(row, dict) and {"decoder", "seed"} <= set(row)
        expect(has_keys, f"{row!r} lacks 'decoder' or 'seed'.")
        expect(len(row) > 2, f"{row!r} records no result.")
        seeds.setdefault(str(row["decoder"]), []).append(row["seed"])
    compared = sorted(seeds)
    two = "two decoders are to be compared"
    expect(len(compared) == 2, f"runs of {compared} are recorded; {two}.")
    a, b = (sorted(values) for values in seeds.values())
    expect(a == b, f"the two decoders have other seeds: {a} and {b}; pairs need the same.")
    count = len(set(a))
    expect(count >= fewest_seeds, f"{count} seeds are recorded; {fewest_seeds} are the least.")
    passed("rows")
