"""All scores of a code side by side: of arrays, and of a model over a world of images."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from tqdm.auto import tqdm

from sbd_utils.analysis import encode, images_for
from sbd_utils.data import FactorStream
from sbd_utils.metrics import Score, dci, factor_vae_score, mig, sap, turn_pairs

SAMPLES = 10_000
"""That a score is computed from: as Locatello et al. (2019), who fit to as many."""
HELD_OUT = 1_000_003
"""Seed of factors that training does not use."""
RENDERED = 500
"""Images at a time, so that none are kept."""


class CodeScores(NamedTuple):
    """What is asked of a code; see `score_code`."""

    mig: Score
    sap: Score
    disentanglement: Score
    """The first of DCI's three, as the next two."""
    completeness: Score
    informativeness: Score
    factor_vae: Score


def score_code(
    codes: ArrayLike,
    factors: ArrayLike,
    *,
    continuous: bool | list[int] = False,
    bootstrap: int = 0,
    seed: int = 0,
) -> CodeScores:
    """MIG, SAP, DCI and the FactorVAE score of the same samples.

    Args:
        codes: Means of the posterior [N, D], in random order.
        factors: [N, F]; a column holds classes unless it is named as continuous.
        continuous: Columns of factors that are quantities; True for all.
        bootstrap: Resamplings for 95 % intervals; 0 for none.
        seed: Of votes and resamplings.

    Returns:
        Each with its ceiling for an ideal code, and its value for that code turned by 45 degrees.

    Raises:
        ValueError: Too few samples, or no such arrays: see `mig`.

    Example:
        >>> factors = np.random.default_rng(0).uniform(size=(1000, 2))
        >>> scores = score_code(factors, factors, continuous=True)
        >>> round(scores.disentanglement.value, 1), round(scores.disentanglement.turned, 1)
        (1.0, 0.0)
    """
    options: dict[str, Any] = dict(continuous=continuous, bootstrap=bootstrap, seed=seed)
    three = dci(codes, factors, **options)
    return CodeScores(
        mig=mig(codes, factors, **options),
        sap=sap(codes, factors, **options),
        disentanglement=three.disentanglement,
        completeness=three.completeness,
        informativeness=three.informativeness,
        factor_vae=factor_vae_score(codes, factors, **options),
    )


def encode_samples(
    model: Any,
    stream: FactorStream,
    count: int = SAMPLES,
    seed: int = HELD_OUT,
    progress: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Codes and factors of a world's images, rendered and encoded part by part.

    Args:
        model: A `VAE` in eval mode.
        stream: The world.
        count: Images.
        seed: Of their factors.
        progress: Whether to show a bar.

    Returns:
        Posterior means [count, z_dim] and factors [count, F], float64.

    Raises:
        ValueError: count is below 1, or the model takes other images than the world has.
    """
    if count < 1:
        raise ValueError(f"count is {count}; it must be at least 1")
    factors = stream.sample(count, torch.Generator().manual_seed(seed))  # [count, F]
    parts = tqdm(factors.split(RENDERED), desc="encoding", disable=not progress)
    codes = [encode(model, images_for(model, stream, part))[0] for part in parts]
    return torch.cat(codes).double().numpy(), factors.double().numpy()


class ToyCode(NamedTuple):
    """A code that one can draw; see `toy_code`."""

    codes: np.ndarray
    """[N, 2]."""
    factors: np.ndarray
    """[N, 2] in [-1, 1]."""
    continuous: bool
    """Whether the factors are quantities; with few values they are classes."""


def toy_code(
    samples: int, angle: float = 0, values: int | None = None, noise: float = 0, seed: int = 0
) -> ToyCode:
    """Two independent uniform factors, and a code that is a turn of them, with noise.

    Args:
        samples: How many.
        angle: Of the turn, in degrees.
        values: Of each factor, evenly spaced; None for continuous factors.
        noise: Standard deviation of what is added to each latent.
        seed: Of factors and noise.

    Raises:
        ValueError: values is below 2, samples below 1, or noise negative.

    Example:
        >>> toy = toy_code(samples=3, angle=90)
        >>> bool(np.allclose(toy.codes, np.c_[-toy.factors[:, 1], toy.factors[:, 0]]))
        True
    """
    if samples < 1:
        raise ValueError(f"samples is {samples}; it must be at least 1")
    if values is not None and values < 2:
        raise ValueError(f"values is {values}; a factor needs at least 2, or None for all")
    if noise < 0:
        raise ValueError(f"noise is {noise}; a standard deviation is not negative")
    generator = np.random.default_rng(seed)
    if values is None:
        factors = generator.uniform(-1, 1, (samples, 2))
    else:
        factors = np.linspace(-1, 1, values)[generator.integers(values, size=(samples, 2))]
    codes = turn_pairs(factors, angle) + noise * generator.normal(size=factors.shape)
    return ToyCode(codes, factors, continuous=values is None)
