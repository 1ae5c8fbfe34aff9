"""The checks of notebook 05 and its appendix: runs that suffice, blank runs, samples, one stamp."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.checks.kit import as_array, expect, is_number, parts, same, short, solved, unwritten

POWER_SCATTER = 20
"""Degrees by which directions scatter about an axis where power is asked for."""
NEIGHBORS = 5
"""Codes that a position is read from."""


def runs_without_a_failure(runs: Any, share: float = 0.9) -> None:
    """Check how many runs must all succeed for the exact interval to begin above a share.

    Args:
        runs: The student's.
        share: Of successes.
    """
    if unwritten(runs):
        return
    number = is_number(runs, "runs")
    right = _runs_needed(0.025, share)
    one_sided = _runs_needed(0.05, share)
    expect(number == int(number), f"runs is {number}; half a run is none.")
    both = "an interval of 95 % leaves 2.5 % on either side, not 5 % on one."
    expect(number != one_sided, f"{one_sided}: {both}")
    expect(number >= 1, "at least one run is needed.")
    fewer = f"with {short(number)} runs the interval begins at {0.025 ** (1 / number):.3f}."
    expect(number >= right, fewer)
    expect(number == right, f"{short(number)} are enough, but fewer are, too.")
    solved("the number of runs")


def _runs_needed(surprise: float, share: float) -> int:
    """The least n with surprise^(1/n) above the share."""
    return math.floor(math.log(surprise) / math.log(share)) + 1


def runs_for_power(runs: Any, power: float = 0.8) -> None:
    """Check how many runs see a scatter of 20 degrees about the axes with that power.

    Args:
        runs: The student's.
        power: How often p is to be below 0.05.
    """
    if unwritten(runs):
        return
    number = is_number(runs, "runs")
    expect(2 <= number <= 1000, f"runs is {short(number)}; try numbers from 2 to 1000.")
    reached = _power(round(number))
    low = f"{short(number)} runs give p below 0.05 in {reached:.0%} of cases: too few."
    expect(reached > power - 0.06, low)
    high = f"{short(number)} runs give p below 0.05 in {reached:.0%} of cases: fewer would do."
    expect(reached < power + 0.08, high)
    solved("the number of runs")


def _power(runs: int, draws: int = 4000) -> float:
    """How often so many directions, scattered about the axes, agree with them beyond chance."""
    generator = np.random.default_rng(1)
    uniform = generator.uniform(0, 90, (draws, runs))
    scattered = generator.normal(0, POWER_SCATTER, (draws, runs))
    chance, preferring = (np.cos(4 * np.radians(a)).mean(1) for a in (uniform, scattered))
    return float((preferring >= np.percentile(chance, 95)).mean())


def mean_and_median(answer: Any, values: ArrayLike) -> None:
    """Check by how much one blank run moves the mean and the median of some scores.

    Args:
        answer: The student's: how far the mean moves if the largest value is left out, and the
            median.
        values: The scores, the blank run's the largest.
    """
    if unwritten(answer):
        return
    moves = parts(answer, 2, "two numbers are asked for: the mean's move, and the median's.")
    scores = np.sort(as_array(values))
    rest = scores[:-1]
    right = [scores.mean() - rest.mean(), np.median(scores) - np.median(rest)]
    swapped = {"first the mean's move, then the median's.": right[::-1]}
    got = [abs(is_number(move, "a move")) for move in moves]
    same(got, np.abs(right), "the moves", swapped, 1e-2)
    solved("the moves")


def read_from_samples(answer: Any, codes: Any, positions: ArrayLike) -> None:
    """Check what the five nearest codes tell if the codes are samples of the posterior.

    Args:
        answer: The student's R² by network.
        codes: Mean and log-variance [N, D] by network.
        positions: [N, 2].
    """
    if unwritten(answer, *(answer.values() if isinstance(answer, dict) else ())):
        return
    expect(isinstance(answer, dict), "a dict is asked for: R² by the name of the network.")
    missing = [name for name in codes if name not in answer]
    expect(not missing, f"no R² for {', '.join(missing)}.")
    for name, (mean, logvar) in codes.items():
        got = is_number(answer[name], name)
        means, spread = as_array(mean), np.exp(as_array(logvar) / 2)
        noise = np.random.default_rng(1).standard_normal(means.shape)
        right = _neighbor_r2(means + spread * noise, as_array(positions))
        from_means = _neighbor_r2(means, as_array(positions))
        differ = abs(from_means - right) > 0.1
        unsampled = f"{name}: that is the R² of the means; add the posterior's noise."
        expect(not (differ and abs(got - from_means) < 0.03), unsampled)
        off = f"{name}: {got:.2f} where some {right:.2f} is right; is the noise exp(logvar / 2)?"
        expect(abs(got - right) < 0.1, off)
    solved("codes as the decoder gets them")


def _neighbor_r2(z: np.ndarray, factors: np.ndarray) -> float:
    """R² of the mean of the five nearest codes, held out; the smallest of the factors' values."""
    half = len(z) // 2
    distance = np.square(z[half:, None] - z[None, :half]).sum(2)
    nearest = np.argsort(distance, axis=1)[:, :NEIGHBORS]
    target, guess = factors[half:], factors[:half][nearest].mean(1)
    residual = np.square(target - guess).sum(0)
    return float((1 - residual / np.square(target - target.mean(0)).sum(0)).min())


def greatest_of_the_awake(answer: Any, rows: Sequence[Any]) -> None:
    """Check the greatest similarity R² of the runs that are not blank.

    Args:
        answer: The student's.
        rows: With `informative_latents` and `similarity_r2`.
    """
    if unwritten(answer):
        return
    awake = [row.similarity_r2 for row in rows if row.informative_latents > 0]
    mistakes = {
        "this is the affine R²; it forgives a plane that is squeezed into a line.": max(
            row.affine_r2 for row in rows if row.informative_latents > 0
        )
    }
    same(is_number(answer, "the answer"), max(awake), "the answer", mistakes, 1e-2)
    solved("the greatest similarity R²")


def share_that_changed_most(
    answer: Any, decoders: Sequence[str], now: Sequence[Any], before: Sequence[Any]
) -> None:
    """Check which decoder's share of blank runs differs most between two recipes.

    Args:
        answer: The student's: one of the decoders.
        decoders: All of them.
        now: Rows of one recipe, and of others.
        before: Rows of the other.
    """
    if unwritten(answer):
        return
    expect(answer in decoders, f"{answer!r} is none of {', '.join(decoders)}.")
    moves = {}
    for decoder in decoders:
        shares = [_blank_share(rows, decoder) for rows in (now, before)]
        moves[decoder] = abs(shares[0] - shares[1])
    most = max(moves.values())
    smaller = f"{answer}: its share moves by {moves[answer]:.0%}; another's moves by {most:.0%}."
    expect(moves[answer] == most, smaller)
    solved("the share that changed most")


def _blank_share(rows: Sequence[Any], decoder: str) -> float:
    """The share of a decoder's `fast` runs that have no informative latent."""
    chosen = [row for row in rows if (row.recipe, row.decoder) == ("fast", decoder)]
    blank = [row for row in chosen if row.informative_latents == 0]
    return len(blank) / len(chosen)


def one_stamp(by_stamp: Any, own: float, circles: ArrayLike, stamped: ArrayLike) -> None:
    """Check the squared error of one code, drawn everywhere by sliding the coordinates.

    Args:
        by_stamp: The student's: squared error per image.
        own: That of the network's reconstructions.
        circles: Images [N, 1, H, H].
        stamped: The one code's picture at each place, [N, 1, H, H].
    """
    if unwritten(by_stamp, stamped):
        return
    number = is_number(by_stamp, "the squared error")
    difference = np.square(as_array(stamped, "stamped") - as_array(circles))
    right = difference.sum() / len(difference)
    mistakes = {
        "this is the mean over pixels; their sum, per image, is asked for.": (difference.mean())
    }
    same(number, right, "the squared error", mistakes, 1e-2)
    slid = f"{right:.1f} against {own:.1f}: is the sign of the slide right, and its unit a pixel?"
    expect(right < 3 * own, slid)
    solved("one stamp")
