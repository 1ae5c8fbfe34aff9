"""Assignment 3: which latents matter."""

from collections.abc import Callable, Mapping

import numpy as np
import torch

from sbd_utils.checks.kit import NotYet, as_array, expect, is_number, is_tensor, passed, same


def average_variance(function: Callable) -> None:
    """function(encoder, batches) -> [K]"""
    var = torch.tensor([[0.01, 1.0], [0.03, 1.0], [0.5, 4.0]])
    mean = torch.tensor([[3.0, 0], [-3, 0], [0, 0]])

    def encoder(x):  # an image's only pixel is its number
        number = x.flatten(1)[:, 0].long()
        return mean[number], var[number].log()

    images = torch.arange(3.0).view(3, 1, 1, 1)
    got = function(encoder, [images[:2], images[2:]])
    is_tensor(got, (2,), "the average variance of 2 latents")
    mistakes = {
        "this is the average of the batches' averages; batches differ in size, every image counts once.": (
            var[:2].mean(0) + var[2]
        )
        / 2,
        "the average must be taken of variances: exp(logvar) first, then the mean.": var.log()
        .mean(0)
        .exp(),
        "this is the average log-variance; the variance is exp(logvar).": var.log().mean(0),
        "this is the average standard deviation; the variance is exp(logvar), without a half.": var.sqrt().mean(
            0
        ),
        "logvar is already the logarithm of the variance: you have squared it.": (var**2).mean(0),
        "this is the variance of the means over images; the encoder's own are asked for.": mean.var(
            0
        ),
        "this is the variance of the means over images; the encoder's own variances are asked for.": mean.var(
            0, unbiased=False
        ),
        "this is the average of the means: the encoder gives mean, logvar in this order.": mean.mean(
            0
        ),
        "exp of the mean: the encoder gives mean, logvar in this order.": mean.exp().mean(0),
        "this is the first batch alone.": var[:2].mean(0),
        "this is the last batch alone.": var[2],
        "this is a sum; divide by the number of images.": var.sum(0),
        "divide by the number of images, not of batches.": var.sum(0) / 2,
        "this is the median; the mean is asked for.": var.median(0).values,
    }
    same(got, var.mean(0), "the average variance", mistakes)
    expect(not got.requires_grad, "the result carries a gradient; use torch.no_grad().")
    passed("average_variance")


def informative_pair(function: Callable) -> None:
    """function(avg_var [K]) -> two indices, the smallest variance first"""
    cases = {(0.9, 0.2, 1.0, 0.05): (3, 1), (0.01, 0.02, 0.9): (0, 1), (0.5, 0.5, 0.1): (2, 0)}
    for avg_var, right in cases.items():
        got = function(torch.tensor(avg_var))
        what = f"of the variances {list(avg_var)} you give {got!r}"
        expect(hasattr(got, "__len__") and len(got) == 2, f"{what}; two indices are asked for.")
        got = tuple(float(v) for v in got)
        ordered = sorted(range(len(avg_var)), key=lambda i: avg_var[i])
        values = (avg_var[right[0]], avg_var[right[1]])
        expect(
            not np.allclose(got, values),
            f"{what}: these are variances; their indices are asked for.",
        )
        expect(
            got != (ordered[-1], ordered[-2]),
            f"{what}: these are the largest; a *small* variance carries information.",
        )
        expect(
            got != (ordered[-2], ordered[-1]),
            f"{what}: these are the largest; a *small* variance carries information.",
        )
        expect(got != (right[0] + 1, right[1] + 1), f"{what}: indices start at 0.")
        if got == right[::-1] and avg_var[right[0]] != avg_var[right[1]]:
            raise NotYet(f"{what}: the smallest comes first; {right} is right.")
        expect(got == right, f"{what}; {right} is right.")
    passed("informative_pair")


def affine_fit(function: Callable) -> None:
    """function(xy [N, 2], z [N, 2]) -> matrix [2, 2], shift [2], r2; z is about xy @ matrix + shift"""
    xy = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    matrix, shift = np.array([[1.0, 2], [-1, 0.5]]), np.array([10.0, -3])
    noise = np.array([[1.0, 0], [-1, 0], [-1, 0], [1, 0]])  # cannot be explained by x and y
    result = function(xy, xy @ matrix + shift + noise)
    expect(
        isinstance(result, tuple) and len(result) == 3,
        "three values are asked for: return matrix, shift, r2.",
    )
    got_matrix, got_shift, got_r2 = (
        as_array(result[0]),
        as_array(result[1]),
        is_number(result[2], "r2"),
    )
    x1 = np.linalg.lstsq(xy, xy @ matrix + shift + noise, rcond=None)[0]
    mistakes = {
        "the matrix is transposed: z = xy @ matrix + shift, rows are points.": matrix.T,
        "there is no shift in your fit: append a column of ones to xy.": x1,
    }
    same(got_matrix, matrix, "the matrix", mistakes)
    same(got_shift, shift, "the shift")
    first, second = 1 - 4 / 12, 1.0  # of the two columns
    total = 12 + 17.0
    mistakes = {
        "this is the larger of the two coordinates' R²; the smaller is asked for.": second,
        "this is the average of the two coordinates' R²; the smaller is asked for.": (
            first + second
        )
        / 2,
        "this is the R² of both coordinates together; the smaller of the two is asked for.": 1
        - 4 / total,
        "this is the correlation; R² is 1 - (sum of squared residuals) / (sum of squares about the mean).": np.sqrt(
            first
        ),
        "this is the part that is *not* explained; R² is 1 minus it.": 1 - first,
        "squares are taken about zero; they belong about the mean of z.": 1
        - 4 / (12 + 4 * 10.0**2),
        "divide by the sum of squares of z about its mean, not by N.": 1 - 4 / 4,
    }
    same(got_r2, first, "r2", mistakes)
    passed("affine_fit")


def alignment(function: Callable) -> None:
    """function(xy [N, 2], z [N, 2]) -> the smaller over latents of the largest squared correlation with a factor"""
    xy = np.array([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])
    z = (
        np.stack([xy @ [2.0, 1.0], xy @ [0.75, -3.0]], 1) + 5
    )  # squared correlations 4/5, 1/5; 1/17, 16/17
    got = is_number(function(xy, z), "alignment")
    mistakes = {
        "this is the larger of the two latents' values; the smaller is asked for.": 16 / 17,
        "this is the average over the latents; the smaller is asked for.": (4 / 5 + 16 / 17) / 2,
        "these are correlations; square them.": 2 / np.sqrt(5),
        "this is the smallest correlation; for each latent the *largest* counts, and of those the smaller.": 1
        / 17,
        "a negative correlation counts, too: square before you take the largest.": np.sqrt(1 / 17),
    }
    same(got, 0.8, "alignment", mistakes)
    swapped = is_number(function(xy, z[:, ::-1]), "alignment")
    same(swapped, 0.8, "alignment with the two latents exchanged (their order must not matter)")
    mirrored = is_number(function(xy, -z), "alignment")
    same(mirrored, 0.8, "alignment with both latents' signs changed (signs must not matter)")
    passed("alignment")


def three_scores(xy: np.ndarray, z: np.ndarray) -> tuple[float, float, float]:
    """Fit, alignment and read back of codes z [N, 2] of positions xy [N, 2], computed by projection."""

    def worst_r2(a, b):
        basis, stretch, _ = np.linalg.svd(a - a.mean(0), full_matrices=False)
        basis, b = (
            basis[:, stretch > 1e-9 * stretch[0]],
            b - b.mean(0),
        )  # what a spans; [N, 1 or 2], [N, 2]
        return float((np.square(basis.T @ b).sum(0) / np.square(b).sum(0)).min())

    aligned = np.square(np.corrcoef(xy.T, z.T)[2:, :2]).max(1).min()
    return worst_r2(xy, z), float(aligned), worst_r2(z, xy)


def predictions(given: Mapping, computed: Mapping) -> None:
    """Two tables {code: (fit, alignment, read back)}: what was predicted, and what was computed."""
    expect(
        isinstance(given, Mapping) and set(given) == set(computed),
        f"a row for each of {list(computed)} is asked for.",
    )
    for name, row in given.items():
        expect(len(row) == 3, f"{name}: three numbers are asked for: fit, alignment, read back.")
        for value in row:
            expect(value in (0, 0.5, 1), f"{name}: {value!r} is none of 0, 0.5 and 1.")
    wrong = sum(
        abs(a - b) > 0.1
        for name in computed
        for a, b in zip(given[name], computed[name], strict=True)
    )
    expect(
        wrong == 0,
        f"{wrong} of {3 * len(computed)} numbers differ from what was computed. Which, and why?",
    )
    passed("predictions")
