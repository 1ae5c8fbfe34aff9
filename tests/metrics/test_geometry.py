"""`fit_geometry` on codes whose answers are known."""

import warnings

import numpy as np
import pytest
import torch

from sbd_utils import fit_geometry, generate_spaced_coordinates, latent_direction

XY = np.stack(generate_spaced_coordinates(12, 52, 31, 5)[:2], 1)  # [310, 2]


def rotation(degrees: float) -> np.ndarray:
    """Rows are turned from the first axis towards the second."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s], [-s, c]])


def test_the_identity():
    fit = fit_geometry(XY, XY)
    assert (fit.affine_r2, fit.similarity_r2) == (pytest.approx(1), pytest.approx(1))
    assert fit.angle == pytest.approx(0, abs=1e-9)
    assert fit.scale == pytest.approx(1)
    assert not fit.reflected
    np.testing.assert_allclose(fit.affine, [[1, 0], [0, 1], [0, 0]], atol=1e-9)
    np.testing.assert_allclose(fit.similarity, [[1, 0], [0, 1], [0, 0]], atol=1e-9)


@pytest.mark.parametrize("angle", [-135, -90, -30, 7, 45, 90, 179])
@pytest.mark.parametrize("reflected", [False, True])
def test_a_similarity_is_found_whole(angle, reflected):
    flip = np.diag([1, -1 if reflected else 1])
    z = 0.07 * XY @ flip @ rotation(angle) + [3, -5]
    fit = fit_geometry(XY, z)
    assert fit.similarity_r2 == pytest.approx(1)
    assert fit.affine_r2 == pytest.approx(1)
    assert fit.angle == pytest.approx(angle)
    assert fit.reflected == reflected
    assert fit.scale == pytest.approx(0.07)
    for matrix in (fit.affine, fit.similarity):
        np.testing.assert_allclose(np.c_[XY, np.ones(len(XY))] @ matrix, z, atol=1e-9)


def test_a_mirror():
    assert fit_geometry(XY, XY * [-1, 1]).reflected
    assert fit_geometry(XY, XY * [1, -1]).reflected
    assert fit_geometry(XY, XY[:, ::-1]).reflected
    assert fit_geometry(XY, -XY).angle == pytest.approx(180)


def test_a_shear_is_affine_and_no_similarity():
    """z = (x + k y, y) with x, y uncorrelated and of equal variance: everything follows from k."""
    grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), -1).reshape(-1, 2)
    k = 0.8
    fit = fit_geometry(grid, grid @ [[1, 0], [k, 1]])
    assert fit.affine_r2 == pytest.approx(1)
    # The nearest rotation turns x = (1, 0) and y = (k, 1) by angles that differ by the shear's: tan = -k / 2.
    assert fit.angle == pytest.approx(np.degrees(np.arctan(-k / 2)))
    c, s = 2 / np.hypot(2, k), -k / np.hypot(2, k)
    scale = np.hypot(2, k) / 2
    assert fit.scale == pytest.approx(scale)
    first = 1 - ((1 - scale * c) ** 2 + (k + scale * s) ** 2) / (1 + k**2)
    second = 1 - ((scale * s) ** 2 + (1 - scale * c) ** 2) / 1
    assert fit.similarity_r2 == pytest.approx(min(first, second))
    assert fit.similarity_r2 < 0.9


def test_unequal_scales_are_affine_and_no_similarity():
    fit = fit_geometry(XY, XY * [1, 2])
    assert fit.affine_r2 == pytest.approx(1)
    assert fit.scale == pytest.approx(1.5)
    assert fit.similarity_r2 == pytest.approx(
        1 - 0.5**2
    )  # x is predicted 1.5 times too long: 1 - (1.5 - 1)²


def test_noise_of_known_variance():
    """R² is the share of the variance that is not noise; the worse coordinate counts."""
    rng = np.random.default_rng(0)
    xy = rng.uniform(-1, 1, (20_000, 2))  # variance 1/3
    for noise in ([0.3, 0], [0, 0.3], [0.3, 0.1]):
        fit = fit_geometry(xy, xy + rng.normal(size=xy.shape) * noise)
        assert fit.affine_r2 == pytest.approx(1 / (1 + 3 * 0.09), abs=0.01)
        assert fit.similarity_r2 == pytest.approx(fit.affine_r2, abs=0.001)
        assert abs(fit.angle) < 1


@pytest.mark.parametrize(
    "z", [np.zeros_like(XY), np.full_like(XY, 0.1), XY * [1, 0] + [0, 0.3], XY * [0, 1] + [1e8, 0]]
)
def test_a_constant_coordinate_scores_zero_in_silence(z):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = fit_geometry(XY, z)
    assert (fit.affine_r2, fit.similarity_r2) == (0, 0)
    assert np.isfinite([fit.angle, fit.scale]).all()


def test_permuted_points_score_about_zero():
    rng = np.random.default_rng(0)
    scores = [fit_geometry(XY, rng.permutation(XY)) for _ in range(50)]
    assert np.mean([fit.affine_r2 for fit in scores]) < 0.01
    assert max(fit.affine_r2 for fit in scores) < 0.06
    assert all(0 <= fit.similarity_r2 <= fit.affine_r2 for fit in scores)


def test_shift_and_scale_of_the_code_change_no_score():
    z = XY + np.random.default_rng(0).normal(size=XY.shape) * 3
    one, other = fit_geometry(XY, z), fit_geometry(XY, 1e-3 * z + 40)
    assert one.affine_r2 == pytest.approx(other.affine_r2)
    assert one.similarity_r2 == pytest.approx(other.similarity_r2)
    assert one.angle == pytest.approx(other.angle)


def test_a_direction_does_not_depend_on_order_and_signs_of_the_latents():
    for degrees in (0, 10, 45, 80):
        turn = np.radians(degrees)
        first = XY @ [np.cos(turn), np.sin(turn)]
        second = XY @ [-np.sin(turn), np.cos(turn)]
        for code in [(first, second), (second, first), (-first, second), (second, -first)]:
            found = latent_direction(XY, 3 * np.stack(code, 1) + 1)
            assert (found - degrees + 45) % 90 - 45 == pytest.approx(0, abs=1e-9)


def test_tensors_and_lists_are_taken():
    assert fit_geometry(torch.from_numpy(XY).float(), XY.tolist()).affine_r2 == pytest.approx(1)


@pytest.mark.parametrize(
    ("xy", "z", "message"),
    [
        (XY[:, :1], XY, r"xy has shape \[310, 1\]; it must be \[N, 2\]"),
        (XY, XY.ravel(), r"z has shape \[620\]; it must be \[N, 2\]"),
        (XY, XY[:5], "xy has 310 and z has 5 points"),
        (XY[:2], XY[:2], "both need the same number, at least 3"),
        (XY, np.where(XY == 12, np.nan, XY), "z holds a number that is not finite"),
        (np.where(XY == 12, np.inf, XY), XY, "xy holds a number that is not finite"),
        (XY[:31], XY[:31], "xy lies on a line"),
        (np.ones((5, 2)), XY[:5], "xy lies on a line"),
    ],
)
def test_bad_input(xy, z, message):
    with pytest.raises(ValueError, match=message):
        fit_geometry(xy, z)
