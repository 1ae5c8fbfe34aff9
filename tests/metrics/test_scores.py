"""MIG, SAP, DCI and the FactorVAE score on codes whose answers are known."""

import re
import time
import warnings

import numpy as np
import pytest
import scipy.stats
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC

from sbd_utils import dci, factor_vae_score, mig, mutual_information, sap
from sbd_utils.metrics.base import check_samples, cut, standardized, turn_pairs
from sbd_utils.metrics.dci import _one_factor, completeness, disentanglement
from sbd_utils.metrics.sap import _predictability


def grid(*values: int, count: int = 900, seed: int = 0) -> np.ndarray:
    """Independent discrete factors [count, F], column k with values[k] values, in random order."""
    generator = np.random.default_rng(seed)
    columns = [generator.integers(v, size=count) for v in values]
    return np.stack(columns, 1).astype(float)


def everything(codes, factors, **options) -> dict[str, float]:
    """All scores by name."""
    three = dci(codes, factors, **options)
    return {
        "mig": mig(codes, factors, **options).value,
        "sap": sap(codes, factors, **options).value,
        "disentanglement": three.disentanglement.value,
        "completeness": three.completeness.value,
        "informativeness": three.informativeness.value,
        "factor_vae": factor_vae_score(
            codes, factors, train_votes=800, test_votes=400, **options
        ).value,
    }


FACTORS = grid(4, 3)
QUANTITIES = np.random.default_rng(1).uniform(-1, 1, (900, 2))


def test_a_code_that_is_the_factors_reaches_the_ceilings():
    scores = everything(FACTORS, FACTORS)
    assert scores.pop("sap") > 0.4  # accuracy of guessing is the second best
    assert all(value > 0.99 for value in scores.values()), scores


def test_quantities_too():
    scores = everything(QUANTITIES, QUANTITIES, continuous=True)
    assert all(value > 0.9 for value in scores.values()), scores


def test_a_constant_code_knows_nothing():
    scores = everything(np.ones((900, 3)), FACTORS)
    assert {name: scores[name] for name in ("mig", "sap", "factor_vae")} == dict(
        mig=0, sap=0, factor_vae=0
    )
    assert scores["disentanglement"] == pytest.approx(0, abs=1e-9)
    assert scores["completeness"] == pytest.approx(0, abs=1e-9)
    assert scores["informativeness"] < 0.45  # the most frequent class


def test_noise_knows_nothing():
    noise = np.random.default_rng(2).normal(size=(900, 4))
    scores = everything(noise, FACTORS)
    assert scores["mig"] < 0.02
    assert scores["sap"] < 0.05
    assert scores["disentanglement"] < 0.2
    assert scores["completeness"] < 0.2
    assert scores["factor_vae"] < 0.65  # two factors: chance is a half


def test_a_duplicated_code_has_no_gap_and_is_still_disentangled():
    scores = everything(np.hstack([FACTORS, FACTORS]), FACTORS)
    assert scores["mig"] == pytest.approx(0, abs=1e-12)
    assert scores["sap"] == pytest.approx(0, abs=1e-12)
    assert scores["disentanglement"] > 0.99
    assert scores["factor_vae"] > 0.99


@pytest.mark.parametrize("continuous", [False, True])
def test_a_turned_ideal_code_scores_low_where_the_score_asks_for_axes(continuous):
    """By chance two latents that know a factor alike differ by some 1 / sqrt(samples)."""
    factors = np.random.default_rng(9).uniform(-1, 1, (10_000, 2)) if continuous else grid(4, 4)
    score = {
        "mig": mig(factors, factors, continuous=continuous),
        "sap": sap(factors, factors, continuous=continuous),
        "disentanglement": dci(factors, factors, continuous=continuous).disentanglement,
    }
    assert all(s.ceiling == pytest.approx(s.value) for s in score.values())
    assert score["mig"].turned < 0.02
    assert score["sap"].turned < (0.02 if continuous else 0.05)
    assert score["disentanglement"].turned < 0.1


def test_a_turn_loses_no_information():
    score = dci(QUANTITIES, QUANTITIES, continuous=True).informativeness
    assert score.ceiling > 0.99
    assert score.turned > 0.95


def test_order_sign_and_scale_of_latents_do_not_matter():
    """A border between bins belongs to one side; trees take the first of two equal splits."""
    generator = np.random.default_rng(3)
    factors = grid(4, 3, count=10_000)
    noise = generator.normal(size=(10_000, 4))
    codes = np.c_[factors + 0.3 * noise[:, :2], noise[:, 2:]]
    other = codes[:, [2, 1, 3, 0]] * [-5, 0.1, 40, -1] + [1, 2, 3, 4]
    first, second = everything(codes, factors), everything(other, factors)
    exact = {"sap": 1e-6, "factor_vae": 1e-9}
    for name, value in first.items():
        assert second[name] == pytest.approx(value, abs=exact.get(name, 3e-3)), name


def test_scale_and_shift_do_not_matter_to_trees():
    codes = FACTORS + 0.3 * np.random.default_rng(3).normal(size=FACTORS.shape)
    assert dci(8 * codes + 2, FACTORS)[0].value == pytest.approx(dci(codes, FACTORS)[0].value)


def test_more_noise_scores_lower():
    generator = np.random.default_rng(4)
    noise = generator.normal(size=FACTORS.shape)
    ladder = [everything(FACTORS + spread * noise, FACTORS) for spread in (0.0, 0.5, 2.0)]
    for name in ladder[0]:
        values = [scores[name] for scores in ladder]
        assert values == sorted(values, reverse=True), (name, values)


def test_mig_by_hand():
    """One latent is the first factor (ln 4 known), half of it known to a second: gap ln 4 - ln 2, over ln 4."""
    first = np.arange(4000) % 4
    second = np.arange(4000) // 4 % 2
    codes = np.stack([first, first // 2, second], 1)
    score = mig(codes, np.stack([first, second], 1))
    assert score.value == pytest.approx((0.5 + 1.0) / 2)


def test_the_ceiling_of_mig_falls_with_the_number_of_values():
    """20 bins over 32 values: 12 bins hold two, so ln 32 less 24 / 32 of a bit is known."""
    factors = np.stack(np.meshgrid(np.arange(32), np.arange(32)), -1).reshape(-1, 2)
    score = mig(factors, factors)
    assert score.ceiling == pytest.approx(1 - 24 / 32 * np.log(2) / np.log(32))


def test_mutual_information_is_scikit_learns():
    generator = np.random.default_rng(5)
    a, b = generator.integers(7, size=(500, 3)), generator.integers(4, size=(500, 2))
    expected = [[mutual_info_score(x, y) for y in b.T] for x in a.T]
    np.testing.assert_allclose(mutual_information(a, b), expected, atol=1e-12)


def test_bins_are_those_of_a_histogram():
    """As disentanglement_lib cuts: np.digitize by all edges of np.histogram but the last."""
    values = np.random.default_rng(6).normal(size=1000)
    values[0] = values.max()  # the upper end belongs to the last bin
    expected = np.digitize(values, np.histogram(values, 20)[1][:-1]) - 1
    np.testing.assert_array_equal(cut(values, 20), expected)
    np.testing.assert_array_equal(cut(np.full(9, 3.0), 20), np.full(9, cut(np.full(9, 3.0), 20)[0]))


@pytest.mark.parametrize(
    ("importance", "by_latent", "by_factor"),
    [
        (np.diag(5.0 * np.ones(5)), 1, 1),
        (np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]), 1, 1),
        (np.zeros((10, 10)), 0, 0),
        (np.vstack([np.eye(5), np.eye(5)]), 1, 1 - np.log(2) / np.log(10)),
        (np.eye(5)[:2], 1, 1),
        (np.hstack([np.eye(5), np.eye(5)]), 1 - np.log(2) / np.log(10), 1),
        (
            np.array([[3.0, 1.0], [0.0, 0.0]]),
            1 + (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2),
            1,
        ),
    ],
)
def test_dci_of_a_matrix_of_importances(importance, by_latent, by_factor):
    assert disentanglement(importance) == pytest.approx(by_latent, abs=1e-7)
    assert completeness(importance) == pytest.approx(by_factor, abs=1e-7)


def test_sap_of_quantities_is_squared_correlation():
    generator = np.random.default_rng(7)
    codes = QUANTITIES @ generator.normal(size=(2, 4)) + generator.normal(size=(900, 4))
    samples = check_samples(codes, QUANTITIES, True)
    known = _predictability(samples._replace(codes=standardized(codes)))
    expected = np.square(np.corrcoef(codes.T, QUANTITIES.T)[:4, 4:])
    np.testing.assert_allclose(known, expected, atol=1e-12)
    top = np.sort(expected, 0)
    assert sap(codes, QUANTITIES, continuous=True).value == pytest.approx(
        (top[-1] - top[-2]).mean()
    )


def test_quantities_beside_classes():
    factors = np.c_[FACTORS[:, 0], QUANTITIES[:, 0]]
    codes = factors * [1, -3]
    gaps = mig(codes, factors, continuous=[1])
    assert gaps.value == pytest.approx(gaps.ceiling)
    assert gaps.value > 0.9
    # One straight line cannot tell the middle two of four classes from the rest: less than 1 / 2
    # more than another latent knows, where the quantity's gap is 1.
    predicted = sap(codes, factors, continuous=[1])
    assert predicted.value == pytest.approx(predicted.ceiling, abs=1e-6)
    assert 0.55 < predicted.value < 0.75
    assert dci(codes, factors, continuous=[1]).disentanglement.value > 0.95


def test_factor_vae_chance_and_pruning():
    """A latent that hardly varies has no vote, though relative to itself it would stand still."""
    codes = np.c_[FACTORS, 0.01 * FACTORS[:, ::-1]]
    score = factor_vae_score(codes, FACTORS, train_votes=500, test_votes=500)
    assert score.value > 0.99
    mixed = factor_vae_score(FACTORS[:, [0, 0]], FACTORS, train_votes=2000, test_votes=2000)
    assert 0.4 < mixed.value < 0.6


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    """The truth: the value for 40,000 samples. 40 tables of 600 samples; 95 % ± what 40 can tell."""

    def noisy(seed, count):
        factors = grid(4, 3, count=count, seed=seed)
        return factors + 0.5 * np.random.default_rng(seed).normal(size=factors.shape), factors

    truth = mig(*noisy(99, 40_000)).value
    inside = 0
    for seed in range(40):
        low, high = mig(*noisy(seed, 600), bootstrap=100).interval
        assert low < high
        inside += low <= truth <= high
    assert inside >= 32


def test_turning_by_90_degrees_swaps_two_latents():
    codes = np.random.default_rng(8).normal(size=(5, 3))
    turned = turn_pairs(codes, 90)
    np.testing.assert_allclose(turned, np.c_[-codes[:, 1], codes[:, 0], codes[:, 2]], atol=1e-12)


SCORES = [mig, sap, dci, factor_vae_score]


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("codes", "factors", "options", "said"),
    [
        (FACTORS, QUANTITIES, {}, "column 0 has 900 different values in 900 samples"),
        (FACTORS[:50], QUANTITIES[:50], {"continuous": True}, "20 bins in 50 samples"),
        (FACTORS[:30], FACTORS[:30], {}, "at least 10"),
        (FACTORS[:, :1], FACTORS, {}, "codes has shape [900, 1]"),
        (FACTORS, FACTORS[:, 0], {}, "factors has shape [900]"),
        (FACTORS[1:], FACTORS, {}, "codes has 899 rows and factors 900"),
        (FACTORS * np.nan, FACTORS, {}, "codes holds a number that is not finite"),
        (FACTORS, FACTORS * [1, 0], {}, "column 1 does not vary"),
        (FACTORS, FACTORS, {"continuous": [2]}, "continuous is [2]"),
        (FACTORS, FACTORS, {"bootstrap": -1}, "bootstrap is -1"),
    ],
)
def test_what_cannot_be_scored_is_said(score, codes, factors, options, said):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=re.escape(said)):
            score(codes, factors, **options)


def test_other_arguments_that_are_refused():
    with pytest.raises(ValueError, match="bins is 1"):
        mig(FACTORS, FACTORS, bins=1)
    with pytest.raises(ValueError, match="batch_size is 1"):
        factor_vae_score(FACTORS, FACTORS, batch_size=1)
    with pytest.raises(ValueError, match="test_votes is 0"):
        factor_vae_score(FACTORS, FACTORS, test_votes=0)
    sorted_factors = FACTORS[np.argsort(FACTORS[:, 0])]
    with pytest.raises(ValueError, match="shuffle"):
        sap(sorted_factors, sorted_factors)


def test_what_was_given_is_left_as_it_was():
    codes, factors = FACTORS.copy(), FACTORS.copy()
    everything(codes, factors)
    np.testing.assert_array_equal(codes, FACTORS)
    np.testing.assert_array_equal(factors, FACTORS)


# The definitions of google-research/disentanglement_lib, said once more with scikit-learn


def noisy_code(count: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """Five latents that mix three factors of 4, 3 and 5 values."""
    generator = np.random.default_rng(10)
    factors = grid(4, 3, 5, count=count, seed=10)
    mixing = generator.normal(size=(3, 5))
    return standardized(factors) @ mixing + 0.5 * generator.normal(size=(count, 5)), factors


def gap(table: np.ndarray) -> np.ndarray:
    """The largest less the second largest of each column."""
    second, first = np.sort(table, 0)[-2:]
    return first - second


def test_mig_is_that_of_the_reference():
    codes, factors = noisy_code()
    bins = [np.digitize(latent, np.histogram(latent, 20)[1][:-1]) for latent in codes.T]
    known = np.array(
        [[mutual_info_score(factor, latent) for factor in factors.T] for latent in bins]
    )
    entropy = [mutual_info_score(factor, factor) for factor in factors.T]
    assert mig(codes, factors).value == pytest.approx(np.mean(gap(known) / entropy), abs=1e-9)


def test_sap_is_that_of_the_reference_for_latents_of_variance_1():
    codes, factors = noisy_code()
    scaled = standardized(codes)
    accuracy = np.zeros((5, 3))
    for latent, factor in np.ndindex(5, 3):
        machine = LinearSVC(C=0.01, class_weight="balanced")
        machine.fit(scaled[:600, [latent]], factors[:600, factor])
        guess = machine.predict(scaled[600:, [latent]])
        accuracy[latent, factor] = np.mean(guess == factors[600:, factor])
    assert sap(codes, factors).value == pytest.approx(gap(accuracy).mean(), abs=1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 2)])
def test_dci_of_importances_is_that_of_the_reference(shape):
    importance = np.random.default_rng(11).exponential(size=shape)
    shares = importance.sum(1) / importance.sum()
    by_latent = 1 - scipy.stats.entropy(importance.T + 1e-11, base=shape[1])
    assert disentanglement(importance) == pytest.approx(by_latent @ shares, abs=1e-9)
    shares = importance.sum(0) / importance.sum()
    by_factor = 1 - scipy.stats.entropy(importance + 1e-11, base=shape[0])
    assert completeness(importance) == pytest.approx(by_factor @ shares, abs=1e-9)


def test_importances_of_a_quantity_are_those_of_exact_trees():
    """Of latents with fewer values than there are places to cut them."""
    codes, _ = noisy_code()
    codes = np.round(codes, 1)
    assert max(len(np.unique(latent)) for latent in codes.T) < 255
    quantities = codes @ np.random.default_rng(12).normal(size=(5, 2))
    ours, known = _one_factor(check_samples(codes, quantities, True), 0, 0)
    exact = GradientBoostingRegressor(random_state=0).fit(codes[:600], quantities[:600, 0])
    assert ours.sum() == pytest.approx(1)
    np.testing.assert_allclose(ours, exact.feature_importances_, atol=0.002)
    assert known == pytest.approx(exact.score(codes[600:], quantities[600:, 0]), abs=0.002)


def test_the_factor_vae_score_is_that_of_the_reference_up_to_which_votes_are_drawn():
    """One vote at a time, with fresh samples in place of samples of a table."""
    generator = np.random.default_rng(13)
    mixing = np.array([[1.0, 0.6, 0.0], [0.0, 0.8, 1.0]])

    def encode(factors):
        return factors @ mixing + 4 * generator.normal(size=(len(factors), 3))

    def draw(count):
        return generator.integers(5, size=(count, 2)).astype(float)

    factors = draw(5000)
    codes = encode(factors)
    spread = codes.var(0, ddof=1)

    def vote():
        fixed, batch = generator.integers(2), draw(64)
        batch[:, fixed] = batch[0, fixed]
        return fixed, np.argmin(encode(batch).var(0, ddof=1) / spread)

    known, fresh = np.zeros((2, 3)), np.zeros((2, 3))
    for votes, count in ((known, 1500), (fresh, 1500)):
        for _ in range(count):
            votes[vote()] += 1
    expected = fresh[known.argmax(0), np.arange(3)].sum() / fresh.sum()
    assert 0.6 < expected < 0.98  # else the comparison says little
    got = factor_vae_score(codes, factors, train_votes=3000, test_votes=3000).value
    assert got == pytest.approx(expected, abs=0.05)


def test_dci_of_ten_latents_and_eight_factors_is_a_matter_of_seconds():
    """10,000 samples, a factor of three classes among quantities; processor time of all threads."""
    generator = np.random.default_rng(14)
    factors = generator.uniform(size=(10_000, 8))
    factors[:, 3] = np.floor(3 * factors[:, 3])
    codes = np.hstack([factors @ generator.normal(size=(8, 8)), generator.normal(size=(10_000, 2))])
    start = time.process_time()
    score = dci(codes, factors, continuous=[0, 1, 2, 4, 5, 6, 7])
    assert time.process_time() - start < 40  # two cores for 20 seconds
    assert score.informativeness.value < score.informativeness.ceiling


def test_a_class_that_is_rare_may_be_missing_from_a_resample():
    """Three samples of 600 that are fitted: one resample in twenty has none of them."""
    factors = FACTORS.copy()
    factors[:3, 0] = 7
    score = sap(FACTORS, factors, bootstrap=60)
    assert score.interval[0] < score.interval[1]


def test_classes_may_have_any_numbers_for_names():
    """Values of a slider, or of an angle, need not be whole."""
    names = np.array([-0.37, 0.0, 2.5, 7.25])
    codes = FACTORS + 0.2 * np.random.default_rng(15).normal(size=FACTORS.shape)
    renamed = everything(codes, names[FACTORS.astype(int)])
    assert renamed == pytest.approx(everything(codes, FACTORS), abs=1e-9)
