"""What the scores share: checked arrays, the ideal codes they are compared with, intervals.

A score takes codes [N, D] and factors [N, F], in random order, and comes as a `Score`: its value
for the codes, and the values that an ideal code of the same factors would have, as it is and turned
by 45 degrees. A score that falls when a perfect code is turned says less than it seems to.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

SAMPLES_PER_VALUE = 10
"""Of a factor's values on average: with fewer, most of what a score sees is chance."""

BINS = 20
"""Of equal width, for continuous quantities: as Locatello et al. (2019) have them."""

TRAIN_SHARE = 2 / 3
"""Of the samples, where a score fits something: 10,000 to 5,000, as Locatello et al. (2019)."""


class Score(NamedTuple):
    """A score, and what it can be."""

    value: float
    """Of the codes that were given."""
    ceiling: float
    """Of the ideal code of the same samples: each factor is a latent, and nothing else is there."""
    turned: float
    """Of that ideal code after its latents, in pairs, were turned by 45 degrees."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval of the value over samples, if one was asked for."""


class Samples(NamedTuple):
    """Codes and factors, checked."""

    codes: np.ndarray
    """[N, D], float64."""
    factors: np.ndarray
    """[N, F], float64."""
    continuous: tuple[bool, ...]
    """[F]: whether a factor is a quantity; the others are classes."""

    def rows(self, chosen: np.ndarray) -> "Samples":
        """The samples of these numbers [M], in this order."""
        return self._replace(codes=self.codes[chosen], factors=self.factors[chosen])

    def halves(self) -> tuple["Samples", "Samples"]:
        """The first `TRAIN_SHARE` of the samples, to fit to, and the rest, to score on."""
        count = train_count(len(self.codes))
        everything = np.arange(len(self.codes))
        return self.rows(everything[:count]), self.rows(everything[count:])

    def classes(self, bins: int) -> np.ndarray:
        """Factors [N, F] as numbers 0, 1, …; a quantity is cut into `bins` of equal width."""
        columns = [
            cut(factor, bins) if quantity else np.unique(factor, return_inverse=True)[1]
            for factor, quantity in zip(self.factors.T, self.continuous, strict=True)
        ]
        return np.stack(columns, 1)


def check_samples(
    codes: ArrayLike, factors: ArrayLike, continuous: bool | Iterable[int]
) -> Samples:
    """Codes and factors that a score can be computed from.

    Args:
        codes: [N, D] with D at least 2.
        factors: [N, F] with F at least 2.
        continuous: Columns of factors that are quantities; True for all of them, False for none.

    Raises:
        ValueError: Other shapes, numbers that are not finite, a factor that does not vary, a column
            that does not exist, or too few samples: a factor that is not continuous needs
            `SAMPLES_PER_VALUE` of each value on average, a continuous one of each bin.
    """
    codes = _table("codes", codes)
    factors = _table("factors", factors)
    if len(codes) != len(factors):
        counts = f"codes has {len(codes)} rows and factors {len(factors)}"
        raise ValueError(f"{counts}; both need one for each sample")
    quantities = _continuous(continuous, factors.shape[1])
    for column, quantity in enumerate(quantities):
        _check_factor(column, factors[:, column], quantity)
    return Samples(codes, factors, quantities)


def beside_the_ideal(
    measure: Callable[[Samples], np.ndarray], samples: Samples, bootstrap: int, seed: int
) -> list[Score]:
    """Scores of the samples, each beside its ceiling and its value for the turned ideal code.

    Args:
        measure: Gives one or more scores [K] of samples.
        samples: What is scored.
        bootstrap: Resamplings that the intervals are made of; 0 for none.
        seed: Of the resamplings.

    Raises:
        ValueError: bootstrap is negative.
    """
    if bootstrap < 0:
        raise ValueError(f"bootstrap is {bootstrap}; it counts resamplings, 0 for no interval")
    ideal = standardized(samples.factors)
    values = measure(samples)
    ceilings = measure(samples._replace(codes=ideal))
    turned = measure(samples._replace(codes=turn_pairs(ideal, degrees=45)))
    intervals = _intervals(measure, samples, values, bootstrap, seed)
    columns = zip(values, ceilings, turned, intervals, strict=True)
    return [
        Score(float(value), float(ceiling), float(after), interval)
        for value, ceiling, after, interval in columns
    ]


def standardized(table: np.ndarray) -> np.ndarray:
    """Columns of [N, D] at mean 0 and variance 1; a constant one is 0."""
    centered = table - table.mean(0)
    spread = table.std(0)
    rounding = 1e-12 * np.abs(table).max(0)  # what a constant leaves
    constant = spread <= rounding
    return np.where(constant, 0, centered / np.where(constant, 1, spread))


def turn_pairs(codes: np.ndarray, degrees: float) -> np.ndarray:
    """Codes [N, D] with latents 0 and 1, 2 and 3, … turned in their plane; an odd last one stays.

    Example:
        >>> turn_pairs(np.array([[1.0, 0.0, 5.0]]), degrees=90).round(6) + 0
        array([[0., 1., 5.]])
    """
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turned = codes.copy()
    pairs = codes.shape[1] // 2
    first, second = codes[:, 0 : 2 * pairs : 2], codes[:, 1 : 2 * pairs : 2]
    turned[:, 0 : 2 * pairs : 2] = cosine * first - sine * second
    turned[:, 1 : 2 * pairs : 2] = sine * first + cosine * second
    return turned


def cut(values: np.ndarray, bins: int) -> np.ndarray:
    """Numbers 0 … bins - 1 of values [N]: their range is cut into bins of equal width."""
    edges = np.histogram_bin_edges(values, bins)
    return np.digitize(values, edges[1:-1])


def train_count(count: int) -> int:
    """How many of `count` samples are fitted to."""
    return int(np.ceil(count * TRAIN_SHARE))


def _intervals(
    measure: Callable[[Samples], np.ndarray],
    samples: Samples,
    values: np.ndarray,
    bootstrap: int,
    seed: int,
) -> list[tuple[float, float] | None]:
    """Basic bootstrap (Davison and Hinkley 1997, section 5.2), which also takes off the bias."""
    if not bootstrap:
        return [None] * len(values)
    generator = np.random.default_rng(seed)
    count = len(samples.codes)
    fitted = train_count(count)
    drawn = []
    for _ in range(bootstrap):
        # Fitted and scored samples are resampled apart: none is in both.
        first = generator.integers(0, fitted, fitted)
        second = generator.integers(fitted, count, count - fitted)
        drawn.append(measure(samples.rows(np.concatenate([first, second]))))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)  # [K] each
    return [
        (float(2 * value - top), float(2 * value - bottom))
        for value, bottom, top in zip(values, low, high, strict=True)
    ]


def _table(name: str, values: ArrayLike) -> np.ndarray:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        wanted = "it must be [samples, columns] with at least 2 columns"
        raise ValueError(f"{name} has shape {list(table.shape)}; {wanted}")
    if not np.isfinite(table).all():
        raise ValueError(f"{name} holds a number that is not finite")
    return table


def _continuous(continuous: bool | Iterable[int], num_factors: int) -> tuple[bool, ...]:
    if isinstance(continuous, bool):
        return (continuous,) * num_factors
    columns = set(continuous)
    if not columns <= set(range(num_factors)):
        wanted = f"columns of factors, 0 … {num_factors - 1}, or True for all"
        raise ValueError(f"continuous is {continuous}; it must name {wanted}")
    return tuple(column in columns for column in range(num_factors))


def _check_factor(column: int, factor: np.ndarray, quantity: bool) -> None:
    found = len(np.unique(factor))
    if found < 2:
        raise ValueError(f"factors column {column} does not vary: no latent can follow it")
    cells = BINS if quantity else found
    if len(factor) >= SAMPLES_PER_VALUE * cells:
        return
    of_what = f"{cells} bins" if quantity else f"{found} different values"
    needed = f"there must be at least {SAMPLES_PER_VALUE} for each on average"
    hint = "" if quantity else ", or the column be named in `continuous`"
    message = f"factors column {column} has {of_what} in {len(factor)} samples"
    raise ValueError(f"{message}; {needed}{hint}")
