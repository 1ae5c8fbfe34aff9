"""Assignment 4: does it hold?."""

from collections.abc import Callable

import numpy as np

from sbd_utils.checks.kit import expect, is_number, passed, same


def paired_summary(function: Callable) -> None:
    """function(a [S], b [S]) -> mean difference, its standard error, number of seeds with a > b"""
    a, b = np.array([3.0, 5, 7, 4]), np.array([1.0, 4, 8, 2])  # differences 2, 1, -1, 2
    result = function(a, b)
    expect(
        isinstance(result, tuple) and len(result) == 3,
        "three numbers are asked for: difference, error, wins.",
    )
    difference, error, wins = (
        is_number(v, n) for v, n in zip(result, ["difference", "error", "wins"], strict=True)
    )
    d = a - b
    mistakes = {
        "the sign is wrong: the difference is a - b.": -1.0,
        "this is a sum; the mean is asked for.": 4.0,
    }
    mistakes |= {
        "these are distances; signs count.": np.abs(d).mean(),
        "this is the median; the mean is asked for.": 1.5,
    }
    same(difference, 1.0, "the mean difference", mistakes)
    unpaired = np.sqrt(a.var(ddof=1) / 4 + b.var(ddof=1) / 4)
    mistakes = {
        "divide by S - 1 for the variance of a sample (ddof=1).": d.std() / 2,
        "this is the standard deviation; the standard error of a mean is that divided by √S.": d.std(
            ddof=1
        ),
        "this is the standard deviation with ddof=0; the standard error divides by √S, and by S - 1 within.": d.std(),
        "this is the variance of the mean; take the root.": d.var(ddof=1) / 4,
        "the runs are paired by seed: take the standard error of the differences, not of a and b apart.": unpaired,
        "divide by √S, not by S.": d.std(ddof=1) / 4,
    }
    same(error, d.std(ddof=1) / 2, "the standard error", mistakes)
    mistakes = {
        "these are the seeds with a < b.": 1,
        "this is a share; the number of seeds is asked for.": 0.75,
    }
    same(wins, 3, "the number of seeds with a > b", mistakes)
    passed("paired_summary")


def sign_test(function: Callable) -> None:
    """function(wins, seeds) -> two-sided p-value of the sign test"""
    for wins, seeds, right in [
        (5, 5, 0.0625),
        (0, 5, 0.0625),
        (9, 10, 22 / 1024),
        (1, 10, 22 / 1024),
        (3, 6, 1.0),
    ]:
        what = f"sign_test({wins}, {seeds})"
        got = is_number(function(wins, seeds), what)
        expect(got <= 1 + 1e-9, f"{what} is {got:.3g}; a probability is at most 1.")
        mistakes = {
            f"{what}: this is one-sided; had b won as often, you would be as surprised: add that side.": right
            / 2,
            f"{what}: add the more extreme outcomes to the one that was seen.": {
                9: 20 / 1024,
                1: 20 / 1024,
            }.get(wins, -1),
            f"{what}: this is the probability of one outcome; add those as extreme or more, on both sides.": {
                9: 10 / 1024,
                1: 10 / 1024,
                3: 20 / 64,
            }.get(wins, -1),
            f"{what}: this is 1 minus the p-value.": 1 - right,
        }
        same(got, right, what, mistakes, 1e-6)
    passed("sign_test")


def rows(table: list, fewest_seeds: int = 3) -> None:
    """The record of an experiment: dicts with 'decoder', 'seed' and numbers, the same seeds for two decoders."""
    expect(isinstance(table, list) and table, "no runs are recorded in rows.")
    for row in table:
        expect(
            isinstance(row, dict) and {"decoder", "seed"} <= set(row),
            f"{row!r} lacks 'decoder' or 'seed'.",
        )
        expect(len(row) > 2, f"{row!r} records no result.")
    seeds: dict = {}
    for row in table:
        seeds.setdefault(row["decoder"], []).append(row["seed"])
    expect(
        len(seeds) == 2, f"runs of {sorted(seeds)} are recorded; two decoders are to be compared."
    )
    a, b = (sorted(values) for values in seeds.values())
    expect(a == b, f"the two decoders have other seeds: {a} and {b}; pairs need the same.")
    expect(
        len(set(a)) >= fewest_seeds,
        f"{len(set(a))} seeds are recorded; at least {fewest_seeds} are asked for.",
    )
    passed("rows")
