"""The FactorVAE score: if one factor is held fixed, which latent stands still?"""

import numpy as np
from numpy.typing import ArrayLike

from sbd_utils.metrics.base import BINS, Samples, Score, beside_the_ideal, check_samples

PRUNED = 0.05
"""A latent whose mean varies by less (standard deviation) than this has no vote."""


def factor_vae_score(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool | list[int] = False,
    batch_size: int = 64,
    train_votes: int = 10_000,
    test_votes: int = 5_000,
    bootstrap: int = 0,
    seed: int = 0,
) -> Score:
    """The score of Kim and Mnih (2018), section 4, from samples that are at hand.

    A vote: draw a factor and one of its values, then a batch of samples with this value; the latent
    of least variance, in units of its variance over all samples, votes for the factor. Each latent
    stands for the factor that most of its votes are for; the score is the share of fresh votes for
    the factor that their latent stands for. Chance is about 1 / F. The paper draws fresh images for
    each batch; here it is drawn, with replacement, from the samples that share the value, or the
    bin, of a continuous factor.

    Args:
        codes: Means of the posterior [N, D], D at least 2.
        factors: [N, F], F at least 2; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        batch_size: Samples for a vote.
        train_votes: Votes that say which factor a latent stands for.
        test_votes: Votes that are counted.
        bootstrap: Resamplings for a 95 % interval; 0 for none.
        seed: Of votes and resamplings.

    Returns:
        In [0, 1], with ceiling and turned ideal; 0 if no latent varies by `PRUNED`.

    Raises:
        ValueError: See `check_samples`; or a batch of fewer than 2, or no vote.
    """
    counts = {"batch_size": batch_size, "train_votes": train_votes, "test_votes": test_votes}
    for name, least in (("batch_size", 2), ("train_votes", 1), ("test_votes", 1)):
        if counts[name] < least:
            raise ValueError(f"{name} is {counts[name]}; it must be at least {least}")
    samples = check_samples(codes, factors, continuous)

    def accuracy(samples: Samples) -> np.ndarray:
        active = samples.codes.std(0, ddof=1) >= PRUNED
        if not active.any():
            return np.zeros(1)
        varying = samples._replace(codes=samples.codes[:, active])
        generator = np.random.default_rng(seed)
        known = _votes(varying, batch_size, train_votes, generator)  # [F, D]
        fresh = _votes(varying, batch_size, test_votes, generator)
        stands_for = known.argmax(0)  # [D]
        right = fresh[stands_for, np.arange(fresh.shape[1])].sum()
        return np.array([right / fresh.sum()])

    (score,) = beside_the_ideal(accuracy, samples, bootstrap, seed)
    return score


def _votes(
    samples: Samples, batch_size: int, count: int, generator: np.random.Generator
) -> np.ndarray:
    """[F, D]: how often a latent had the least variance while a factor was held fixed."""
    num_samples, num_factors = samples.factors.shape
    classes = samples.classes(BINS)
    overall = samples.codes.var(0, ddof=1)  # [D]
    votes = np.zeros((num_factors, len(overall)), dtype=int)
    fixed = generator.integers(num_factors, size=count)
    for factor in range(num_factors):
        # Samples of one class stand together in `order`; a batch is drawn between two ends.
        order = np.argsort(classes[:, factor], kind="stable")
        sizes = np.bincount(classes[:, factor])
        ends = np.cumsum(sizes)
        drawn = generator.integers(num_samples, size=(fixed == factor).sum())
        value = classes[drawn, factor]
        shares = generator.random((len(drawn), batch_size))
        places = (ends - sizes)[value, None] + shares * sizes[value, None]
        batches = samples.codes[order[places.astype(int)]]  # [votes, batch, D]
        still = np.argmin(batches.var(1, ddof=1) / overall, 1)
        votes[factor] = np.bincount(still, minlength=len(overall))
    return votes
