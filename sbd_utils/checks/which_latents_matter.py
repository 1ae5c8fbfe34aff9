"""The checks of assignment 3: average variances, the pair, the affine fit, alignment, scores."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sbd_utils.checks.kit import (
    Mistakes,
    NotYet,
    as_array,
    call,
    expect,
    is_number,
    is_tensor,
    parts,
    passed,
    same,
)

# Task 1: the average posterior variance


def average_variance(function: Callable[..., Any]) -> None:
    """Check a function that averages posterior variances over images.

    Args:
        function: (encoder, batches) -> [K]; `encoder(images)` gives mean and logvar, [N, K] each.
    """
    var = torch.tensor([[0.01, 1.0], [0.03, 1.0], [0.5, 4.0]])
    mean = torch.tensor([[3.0, 0], [-3, 0], [0, 0]])
    images = torch.arange(3.0).view(3, 1, 1, 1)
    batches = [images[:2], images[2:]]
    got = call(function, encoder=fake_encoder(mean, var.log()), batches=batches)
    is_tensor(got, (2,), "the average variance of 2 latents")
    same(got, var.mean(0), "the average variance", mistaken_averages(mean, var))
    expect(not got.requires_grad, "the result carries a gradient; use torch.no_grad().")
    _average_of_extremes(function, batches)
    passed("average_variance")


def fake_encoder(mean: Tensor, logvar: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """An encoder with parameters that knows images by the number in their only pixel.

    Args:
        mean: What it gives for images 0, 1, ...; [N, K].
        logvar: Likewise.
    """
    weight = torch.ones((), requires_grad=True)

    def encoder(images: Tensor) -> tuple[Tensor, Tensor]:
        number = images.flatten(1)[:, 0].long()
        return weight * mean[number], weight * logvar[number]

    return encoder


def mistaken_averages(mean: Tensor, var: Tensor) -> Mistakes:
    """What the usual mistakes make of 3 images in a batch of 2 and one of 1; [3, K] each."""
    first, last = var[:2].mean(0), var[2]
    in_this_order = "the encoder gives mean, logvar in this order."
    of_means = "this is the variance of the means over images; the encoder's own"
    return {
        "this is the average of the batches' averages; batches differ in size, "
        "every image counts once.": (first + last) / 2,
        "the average must be taken of variances: exp(logvar) first, then the mean.": var.log()
        .mean(0)
        .exp(),
        "this is the average log-variance; the variance is exp(logvar).": var.log().mean(0),
        "this is the average standard deviation; the variance is exp(logvar), "
        "without a half.": var.sqrt().mean(0),
        "logvar is already the logarithm of the variance: you have squared it.": var.square().mean(
            0
        ),
        f"{of_means} are asked for.": mean.var(0),
        f"{of_means} variances are asked for.": mean.var(0, unbiased=False),
        f"this is the average of the means: {in_this_order}": mean.mean(0),
        f"exp of the mean: {in_this_order}": mean.exp().mean(0),
        "this is the first batch alone.": first,
        "this is the last batch alone.": last,
        "this is a sum; divide by the number of images.": var.sum(0),
        "divide by the number of images, not of batches.": var.sum(0) / 2,
        "this is the median; the mean is asked for.": var.median(0).values,
    }


def _average_of_extremes(function: Callable[..., Any], batches: list[Tensor]) -> None:
    """Tiny and huge variances, where a number that was added, or a limit, shows."""
    logvar = torch.tensor([-20.0, 20]).expand(3, 2)
    encoder = fake_encoder(torch.zeros(3, 2), logvar)
    got = call(function, encoder=encoder, batches=batches)
    what = "the average variance of latents whose log-variances are -20 and 20"
    same(got, logvar[0].exp(), what, absolute=0)


# Task 2: the pair


def informative_pair(function: Callable[..., Any]) -> None:
    """Check a function that finds the two latents of least variance.

    Args:
        function: avg_var [K] -> two indices, the smallest variance first.
    """
    _finds_pair(function, [0.9, 0.2, 1.0, 0.05], (3, 1))
    _finds_pair(function, [0.01, 0.02, 0.9], (0, 1))
    _finds_pair(function, [0.5, 0.5, 0.1], (2, 0))
    _finds_pair(function, [1.0, 1.0, 0.1, 0.1], (2, 3))
    _finds_pair(function, [1.0, 3e-12, 0.5, 1e-12], (3, 1))
    passed("informative_pair")


def _finds_pair(function: Callable[..., Any], avg_var: list[float], right: tuple[int, int]) -> None:
    answer = call(function, avg_var=torch.tensor(avg_var))
    what = f"of the variances {avg_var} you give {answer!r}"
    pair = parts(answer, 2, f"{what}; two indices are asked for.")
    got = tuple(is_number(index, "an index") for index in pair)
    if got == right:
        return
    first, second = right
    smallest = (avg_var[first], avg_var[second])
    expect(
        not np.allclose(got, smallest, atol=0),
        f"{what}: these are variances; their indices are asked for.",
    )
    largest = sorted(range(len(avg_var)), key=lambda i: avg_var[i])[-2:]
    expect(
        sorted(got) != sorted(largest),
        f"{what}: these are the largest; a *small* variance carries information.",
    )
    expect(got != (first + 1, second + 1), f"{what}: indices start at 0.")
    equal = smallest[0] == smallest[1]
    order = "of equal ones the lower index" if equal else "the smallest"
    expect(got != (second, first), f"{what}: {order} comes first; {right} is right.")
    raise NotYet(f"{what}; {right} is right.")


# Task 3: the affine fit


def affine_fit(function: Callable[..., Any]) -> None:
    """Check a function that fits codes to positions.

    Args:
        function: (xy [N, 2], z [N, 2]) -> matrix [2, 2], shift [2] and r2 of the least-squares fit
            z = xy @ matrix + shift.
    """
    xy = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    matrix, shift = np.array([[1.0, 2], [-1, 0.5]]), np.array([10.0, -3])
    unexplained = np.array([[1.0, 0], [-1, 0], [-1, 0], [1, 0]])  # neither by x nor by y
    z = xy @ matrix + shift + unexplained
    got_matrix, got_shift, got_r2 = three_values(call(function, xy=xy, z=z))
    without_shift = np.linalg.lstsq(xy, z, rcond=None)[0]
    mistakes = {
        "the matrix is transposed: z = xy @ matrix + shift, rows are points.": matrix.T,
        "there is no shift in your fit: append a column of ones to xy.": without_shift,
    }
    same(got_matrix, matrix, "the matrix", mistakes)
    same(got_shift, shift, "the shift")
    same(got_r2, 1 - 4 / 12, "r2", mistaken_r2s())
    _fit_of_extremes(function, xy, z)
    _fit_of_constants(function)
    passed("affine_fit")


def three_values(answer: Any) -> tuple[np.ndarray, np.ndarray, float]:
    """matrix, shift and r2, if these are three values."""
    several = parts(answer, 3, "three values are asked for: return matrix, shift, r2.")
    matrix, shift, r2 = several
    return as_array(matrix, "the matrix"), as_array(shift, "the shift"), is_number(r2, "r2")


def mistaken_r2s() -> Mistakes:
    """What the usual mistakes make of an r2.

    Of the first coordinate, 4 of its sum of squares of 12 are not explained, and its mean is 10 in
    4 points; of the second, whose sum of squares is 17, all is explained.
    """
    first, second = 1 - 4 / 12, 1.0
    together = 1 - 4 / (12 + 17)
    about_zero = 1 - 4 / (12 + 4 * 10**2)
    smaller = "the smaller of the two is asked for."
    return {
        "this is the larger of the two coordinates' R²; the smaller is asked for.": second,
        f"this is the average of the two coordinates' R²; {smaller}": (first + second) / 2,
        f"this is the R² of both coordinates together; {smaller}": together,
        "this is the correlation; R² is 1 - (sum of squared residuals) / (sum of squares "
        "about the mean).": np.sqrt(first),
        "this is the part that is *not* explained; R² is 1 minus it.": 1 - first,
        "squares are taken about zero; they belong about the mean of z.": about_zero,
        "divide by the sum of squares of z about its mean, not by N.": 1 - 4 / 4,
    }


def _fit_of_extremes(function: Callable[..., Any], xy: np.ndarray, z: np.ndarray) -> None:
    """Positions and codes a thousand times smaller, or only the codes."""
    for of_xy, of_z in [(1e-3, 1e-3), (1, 1e-3)]:
        *_, r2 = three_values(call(function, xy=of_xy * xy, z=of_z * z))
        what = f"r2 of the same positions times {of_xy:g} and codes times {of_z:g}"
        same(r2, 1 - 4 / 12, what)


def _fit_of_constants(function: Callable[..., Any]) -> None:
    """A constant has nothing to be explained, whether its mean is exact or rounded."""
    number = np.arange(10.0)
    xy = np.stack([number % 3, number // 3], 1)
    for constant in (2.0, 0.1, -7.3):
        for which in ("first", "second"):
            z = xy.copy()
            z[:, int(which == "second")] = constant
            what = f"r2 of a code whose {which} coordinate is always {constant:g}"
            answer = parts(call(function, xy=xy, z=z), 3, "three values are asked for.")
            same(is_number(answer[2], what), 0, what)


# Task 4: alignment


def alignment(function: Callable[..., Any]) -> None:
    """Check a function that says whether each latent follows one factor.

    Args:
        function: (xy [N, 2], z [N, 2]) -> the smaller over latents of the largest squared
            correlation with a factor.
    """
    xy = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    first, second = xy @ [2.0, 1.0], xy @ [0.75, -3.0]  # squared correlations 4/5, 1/5; 1/17, 16/17
    z = np.stack([first, second], 1) + 5
    xy = np.add(xy, [2, 3])
    _is_aligned(function, xy, z, 0.8, "alignment", mistaken_alignments())
    exchanged = "alignment with the two latents exchanged (their order must not matter)"
    _is_aligned(function, xy, z[:, ::-1].copy(), 0.8, exchanged)
    signs = "alignment with both latents' signs changed (signs must not matter)"
    _is_aligned(function, xy, -z, 0.8, signs)
    small = "alignment of positions and codes a thousand times smaller"
    _is_aligned(function, 1e-3 * xy, 1e-3 * z, 0.8, small)
    both_follow_x = np.stack([xy @ [2.0, 1.0], xy @ [3.0, 1.0]], 1)  # 4/5, 1/5; 9/10, 1/10
    mistakes = {"alignment takes the largest for each latent, not for each factor.": 0.2}
    what = "alignment of two latents that both follow x"
    _is_aligned(function, xy, both_follow_x, 0.8, what, mistakes)
    passed("alignment")


def _is_aligned(
    function: Callable[..., Any],
    xy: np.ndarray,
    z: np.ndarray,
    right: float,
    what: str,
    mistakes: Mistakes | None = None,
) -> None:
    got = is_number(call(function, xy=xy, z=z), what)
    same(got, right, what, mistakes)


def mistaken_alignments() -> Mistakes:
    """What the usual mistakes make of squared correlations 4/5, 1/5 and, negative, 1/17, 16/17."""
    smaller = "the smaller is asked for."
    return {
        f"this is the larger of the two latents' values; {smaller}": 16 / 17,
        f"this is the average over the latents; {smaller}": (4 / 5 + 16 / 17) / 2,
        "these are correlations; square them.": 2 / np.sqrt(5),
        "this is the smallest correlation; for each latent the *largest* counts, "
        "and of those the smaller.": 1 / 17,
        "a negative correlation counts, too: square before you take the largest.": np.sqrt(1 / 17),
    }


# Task 5: predictions


def three_scores(xy: np.ndarray, z: np.ndarray) -> tuple[float, float, float]:
    """Fit, alignment and read back of codes, computed by projection.

    Args:
        xy: Positions [N, 2].
        z: Codes [N, 2].

    Returns:
        R² of the codes given the positions, alignment, and R² of the positions given the codes.
    """
    correlation = np.corrcoef(xy.T, z.T)[2:, :2]  # [latent, factor]
    aligned = np.square(correlation).max(1).min()
    return _explained(z, xy), float(aligned), _explained(xy, z)


def _explained(target: np.ndarray, given: np.ndarray) -> float:
    """The smaller R² of the columns of a target [N, 2], projected onto what is given [N, 2]."""
    basis, stretch, _ = np.linalg.svd(given - given.mean(0), full_matrices=False)
    spanned = basis[:, stretch > 1e-9 * stretch[0]]  # [N, 1 or 2]
    target = target - target.mean(0)
    part = np.square(spanned.T @ target).sum(0)
    return float((part / np.square(target).sum(0)).min())


def predictions(given: Any, computed: Mapping[str, tuple[float, float, float]]) -> None:
    """Check a table of predicted scores.

    Args:
        given: {code: (fit, alignment, read back)}, each 0, 0.5 or 1; the student's.
        computed: The same, as it was computed.
    """
    same_codes = isinstance(given, Mapping) and set(given) == set(computed)
    expect(same_codes, f"a row for each of {list(computed)} is asked for.")
    wrong = 0
    for name, scores in computed.items():
        three = f"{name}: three numbers are asked for: fit, alignment, read back."
        row = parts(given[name], 3, three)
        for value, score in zip(row, scores, strict=True):
            expect(value in (0, 0.5, 1), f"{name}: {value!r} is none of 0, 0.5 and 1.")
            wrong += abs(value - score) > 0.1
    total = 3 * len(computed)
    expect(wrong == 0, f"{wrong} of {total} numbers differ from what was computed. Which, and why?")
    passed("predictions")
