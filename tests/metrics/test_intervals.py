"""Exact intervals against closed forms, the definition, and a published table."""

import math

import pytest

from sbd_utils import exact_interval


@pytest.mark.parametrize("runs", [1, 3, 10, 40])
def test_all_and_none_have_closed_forms(runs):
    low, high = exact_interval(runs, runs)
    assert low == pytest.approx(0.025 ** (1 / runs))
    assert high == 1
    assert exact_interval(0, runs) == (0, pytest.approx(1 - low))


def test_a_textbook_value():
    # Of 10 runs 4: R's binom.test(4, 10) gives 0.1215523 and 0.7376219.
    assert exact_interval(4, 10) == pytest.approx((0.1215523, 0.7376219), abs=1e-6)


@pytest.mark.parametrize(
    ("successes", "runs", "level"), [(3, 7, 0.95), (1, 20, 0.9), (19, 20, 0.5)]
)
def test_the_ends_are_just_surprising(successes, runs, level):
    def at_least(count, p):
        terms = (math.comb(runs, k) * p**k * (1 - p) ** (runs - k) for k in range(count, runs + 1))
        return sum(terms)

    low, high = exact_interval(successes, runs, level)
    assert at_least(successes, low) == pytest.approx((1 - level) / 2)
    assert 1 - at_least(successes + 1, high) == pytest.approx((1 - level) / 2)
    mirrored = exact_interval(runs - successes, runs, level)
    assert mirrored == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((3, 2), "successes is 3 and runs is 2"),
        ((-1, 2), "successes is -1"),
        ((0, 0), "runs is 0; runs must be at least 1"),
        ((1, 2, 1.0), "level is 1.0; it must be between 0 and 1"),
    ],
)
def test_what_is_no_count_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        exact_interval(*given)
