"""Scores of masks: known answers, scikit-learn's own adjusted Rand index, ceilings, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from sbd_utils import (
    SceneStream,
    adjusted_rand_index,
    block_ceiling,
    block_means,
    kmeans_masks,
    random_masks,
    score_segmentation,
    voronoi_masks,
)

# The adjusted Rand index


@pytest.mark.parametrize(
    ("classes", "clusters", "points"),
    [(2, 2, 10), (5, 5, 64), (1, 4, 30), (4, 1, 30), (60, 70, 64)],
)
def test_random_partitions_score_as_by_scikit_learn(classes, clusters, points):
    generator = np.random.default_rng(points)
    true = generator.integers(0, classes, (40, points))
    found = generator.integers(0, clusters, (40, points))
    found[20:, : points // 2] = true[20:, : points // 2]  # half of them agree in part
    expected = [adjusted_rand_score(a, b) for a, b in zip(true, found, strict=True)]
    np.testing.assert_allclose(adjusted_rand_index(true, found), expected, atol=1e-12)


HOSTILE = {
    "one class each": ([3, 3, 3, 3], [7, 7, 7, 7]),
    "nothing but cuts": ([0, 1, 2, 3], [3, 2, 1, 0]),
    "one against cuts": ([0, 0, 0, 0], [0, 1, 2, 3]),
    "cuts against one": ([0, 1, 2, 3], [0, 0, 0, 0]),
    "one point": ([5], [9]),
    "two points together": ([1, 1], [2, 2]),
    "two points apart": ([0, 1], [1, 0]),
    "two points disagree": ([0, 1], [0, 0]),
    "negative and huge names": ([-(2**40), 2**40, 2**40], [0, -1, -1]),
    "crossed": ([0, 0, 1, 1], [0, 1, 0, 1]),
    "a large majority": ([0] * 9999 + [1], [1] + [0] * 9999),
}


@pytest.mark.parametrize(("true", "found"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_partitions_score_as_by_scikit_learn(true, found):
    [score] = adjusted_rand_index([true], [found])
    assert score == pytest.approx(adjusted_rand_score(true, found), abs=1e-12)


def test_the_adjusted_rand_index_by_hand():
    """Pairs together in both 2, in the first 6, in the second 7, in all 15: (2 - 2.8) / (6.5 - 2.8)."""
    true, found = [[0, 0, 0, 1, 1, 1]], [[0, 0, 1, 1, 1, 1]]
    both = 1 + 3  # 0 and 1; 3, 4 and 5
    expected = 6 * 7 / 15
    assert adjusted_rand_index(true, found)[0] == pytest.approx(
        (both - expected) / (6.5 - expected)
    )


def test_chance_scores_0_on_average():
    true = np.repeat([[0, 1, 2, 3]], 2000, axis=0).repeat(25, axis=1)
    found = np.random.default_rng(0).integers(0, 5, true.shape)
    scores = adjusted_rand_index(true, found)
    assert abs(scores.mean()) < 5 * scores.std() / np.sqrt(len(scores))


# Known answers: 8 x 8 pixels, a ground, and two objects of 2 x 4 pixels


def labelled(rows):
    """Masks [1, K, H, W] of a picture in digits."""
    label = np.array([[int(digit) for digit in row] for row in rows])
    return (label == np.arange(label.max() + 1)[:, None, None])[None].astype(float)


TRUE = labelled(
    [
        "00000000",
        "01100220",
        "01100220",
        "01100220",
        "01100220",
        "00000000",
        "00000000",
        "00000000",
    ]
)


def scores_of(masks, true=TRUE):
    return score_segmentation(true, masks).means()


def test_perfect_masks_have_every_score_at_its_best():
    best = dict(foreground_ari=1, ari=1, matched_iou=1, held=1, surplus_slots=0)
    assert scores_of(TRUE) == best
    assert scores_of(TRUE[:, [2, 0, 1]]) == best  # in another order
    spare = np.concatenate([np.zeros((1, 2, 8, 8)), TRUE], 1)
    assert scores_of(spare) == best  # with slots that are empty
    assert scores_of(0.1 + 0.2 * TRUE) == best  # soft, but right


def test_merged_objects():
    merged = np.stack([TRUE[0, 0], TRUE[0, 1] + TRUE[0, 2]])[None]
    scores = scores_of(merged)
    assert scores["foreground_ari"] == 0
    # Pairs: 48 and 8 and 8 pixels; 48 and 16; all 64.
    both, found, every = 48 * 47 / 2 + 2 * 28, 48 * 47 / 2 + 120, 64 * 63 / 2
    expected = both * found / every
    assert scores["ari"] == pytest.approx((both - expected) / ((both + found) / 2 - expected))
    assert scores["matched_iou"] == 0.25  # one has half of the slot, the other none
    assert scores["held"] == 0  # a half is not more than a half
    assert scores["surplus_slots"] == -1


def test_an_object_split_in_two():
    half = np.arange(8)[:, None] < 3
    split = np.stack([TRUE[0, 0], TRUE[0, 1] * half, TRUE[0, 1] * ~half, TRUE[0, 2]])[None]
    scores = scores_of(split)
    both, true, found, every = 2 * 6 + 28, 2 * 28, 2 * 6 + 28, 120  # of 8 + 8 pixels
    expected = true * found / every
    assert scores["foreground_ari"] == pytest.approx(
        (both - expected) / ((true + found) / 2 - expected)
    )
    assert scores["matched_iou"] == 0.75
    assert scores["held"] == 0.5
    assert scores["surplus_slots"] == 1


def test_objects_that_share_their_slots():
    """The objects' upper halves in one slot, the lower halves in another: nothing is right."""
    half = np.arange(8)[:, None] < 3
    objects = TRUE[0, 1] + TRUE[0, 2]
    scores = scores_of(np.stack([TRUE[0, 0], objects * half, objects * ~half])[None])
    both, pairs, every = 4 * 6, 2 * 28, 120
    expected = pairs * pairs / every
    assert scores["foreground_ari"] == pytest.approx((both - expected) / (pairs - expected))
    assert scores["matched_iou"] == pytest.approx(4 / 12)
    assert scores["held"] == 0
    assert scores["surplus_slots"] == 0  # as many slots as objects: this score sees nothing


def test_tiles_are_seen_by_every_score_but_the_foreground_ari():
    left = np.broadcast_to(np.arange(8) < 4, (8, 8))
    scores = scores_of(np.stack([left, ~left])[None].astype(float))
    assert scores["foreground_ari"] == 1
    assert scores["surplus_slots"] == 0
    assert scores["matched_iou"] == 8 / 32
    assert scores["held"] == 0
    assert scores["ari"] < 0.15


def test_a_constant_segmentation_scores_nothing():
    for masks in (np.full((1, 4, 8, 8), 0.25), TRUE[:, :1] * 0 + 1):
        scores = scores_of(masks)
        assert scores["foreground_ari"] == scores["ari"] == scores["held"] == 0
        assert scores["matched_iou"] == (8 / 64) / 2
        assert scores["surplus_slots"] == -1  # one slot has them both


def test_fewer_slots_than_objects_are_matched_as_far_as_they_go():
    only = np.stack([TRUE[0, 1], TRUE[0, 0] + TRUE[0, 2]])[None]
    assert scores_of(only)["matched_iou"] == pytest.approx((1 + 8 / 56) / 2)


def test_matching_is_the_best_as_a_whole_not_one_by_one():
    """The best pair of all, 6/14, would leave the other object with nothing."""
    true = labelled(["11111111112222"])  # no ground is seen
    found = labelled(["00000011110000"])
    scores = score_segmentation(true, found)
    assert scores.matched_iou[0] == pytest.approx((4 / 10 + 4 / 10) / 2)
    assert scores.held[0] == 0


def test_hidden_objects_are_not_asked_for():
    hidden = np.concatenate([TRUE, np.zeros((1, 1, 8, 8))], 1)
    assert scores_of(TRUE, hidden) == scores_of(TRUE)


def test_each_scene_is_scored_by_itself():
    generator = np.random.default_rng(1)
    scenes = SceneStream(seed=4, im_size=16).batch(0, 6)
    true, masks = scenes.masks.numpy(), generator.random((6, 5, 16, 16))
    masks[3:, : true.shape[1]] += 2 * true[3:]
    together = score_segmentation(true, masks, scenes.images, scenes.images * 0)
    for k in range(6):
        part = slice(k, k + 1)
        alone = score_segmentation(
            true[part], masks[part], scenes.images[part], scenes.images[part] * 0
        )
        for one, all_of in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, all_of[part])


def test_scores_of_scenes_are_those_of_scikit_learn():
    scenes = SceneStream(seed=4, im_size=16, spread=1).batch(0, 30)
    true = scenes.masks.numpy()
    masks = np.random.default_rng(2).random((30, 4, 16, 16))
    masks[:, :3] += np.linspace(0, 1, 30)[:, None, None, None] * true[:, :3]
    scores = score_segmentation(true, masks)
    for k in range(30):
        a, b = true[k].argmax(0).ravel(), masks[k].argmax(0).ravel()
        assert scores.ari[k] == pytest.approx(adjusted_rand_score(a, b))
        on = a > 0
        assert scores.foreground_ari[k] == pytest.approx(adjusted_rand_score(a[on], b[on]))


def test_the_squared_error_is_the_mean_over_values():
    images = np.zeros((2, 3, 8, 8))
    wrong = images.copy()
    wrong[1, 0] = 0.5
    twice = TRUE.repeat(2, axis=0)
    np.testing.assert_allclose(
        score_segmentation(twice, twice, images, wrong).squared_error, [0, 0.25 / 3]
    )
    assert score_segmentation(twice, twice).squared_error is None


# Ceilings


def test_blocks_are_means_put_back_where_they_were():
    values = np.arange(16.0).reshape(1, 1, 4, 4)
    expected = np.array([[2.5, 2.5, 4.5, 4.5]] * 2 + [[10.5, 10.5, 12.5, 12.5]] * 2)
    assert np.array_equal(block_means(values, 2)[0, 0], expected)
    assert np.array_equal(block_means(values, 1), values)


def test_ceilings_fall_with_the_size_of_blocks():
    scenes = SceneStream(seed=6, ground="grey").batch(0, 150)
    true, images = scenes.masks, scenes.images
    one, two, four = (block_ceiling(true, images, pool).means() for pool in (1, 2, 4))
    assert one == dict(
        foreground_ari=1, ari=1, matched_iou=1, held=1, surplus_slots=0, squared_error=0
    )
    for name in ("foreground_ari", "ari", "matched_iou"):
        assert 1 > two[name] > four[name] > 0.5
    assert 0 < two["squared_error"] < four["squared_error"]
    control = score_segmentation(true, random_masks((150, 5, 32, 32))).means()
    for name in ("foreground_ari", "ari", "matched_iou", "held"):
        assert control[name] < four[name]


# Controls


def test_masks_of_controls_give_every_pixel_to_one_slot():
    images = SceneStream().batch(0, 3).images
    shape = (3, 4, 32, 32)
    for masks in (random_masks(shape), voronoi_masks(shape), kmeans_masks(images, 4)):
        assert masks.shape == shape
        assert set(np.unique(masks)) == {0, 1}
        assert (masks.sum(1) == 1).all()
    for control in (random_masks, voronoi_masks):
        assert np.array_equal(control(shape, 1), control(shape, 1))
        assert not np.array_equal(control(shape, 1), control(shape, 2))
    assert np.array_equal(kmeans_masks(images, 4), kmeans_masks(images, 4))


def test_random_masks_score_as_chance_does():
    scenes = SceneStream(seed=9).batch(0, 200)
    scores = score_segmentation(scenes.masks, random_masks((200, 5, 32, 32), seed=3))
    for name in ("foreground_ari", "ari"):
        values = getattr(scores, name)
        assert abs(values.mean()) < 5 * values.std() / np.sqrt(200)
    assert scores.held.max() == 0


def test_tiles_that_look_at_nothing_have_a_foreground_ari_and_no_more():
    scenes = SceneStream(seed=9).batch(0, 200)
    tiles = score_segmentation(scenes.masks, voronoi_masks((200, 5, 32, 32), seed=3)).means()
    assert tiles["foreground_ari"] > 0.4
    assert tiles["ari"] < 0.1
    assert tiles["held"] < 0.1


def test_voronoi_tiles_are_those_of_their_points():
    masks = voronoi_masks((1, 3, 5, 7), seed=4)[0]
    points = np.random.default_rng(4).random((1, 3, 2))[0] * [5, 7]
    for row in range(5):
        for column in range(7):
            distances = [np.hypot(row + 0.5 - y, column + 0.5 - x) for y, x in points]
            assert masks[:, row, column].argmax() == np.argmin(distances)


def test_clusters_of_colour_and_place_hold_objects_that_colours_tell_apart_and_no_others():
    held = {}
    for hues in ("distinct", "shared"):
        scenes = SceneStream(seed=7, hues=hues, objects=3).batch(0, 15)
        masks = kmeans_masks(scenes.images, slots=5)
        held[hues] = score_segmentation(scenes.masks, masks).means()["held"]
    assert held["distinct"] > 0.9
    assert held["shared"] < 0.4


# What is refused


def test_wrong_masks_are_named():
    with pytest.raises(ValueError, match=r"masks has shape \[1, 3, 8\]; it must be \[N, K, H, W\]"):
        score_segmentation(TRUE, TRUE[:, :, 0])
    with pytest.raises(
        ValueError, match=r"masks has shape \[1, 3, 4, 4\], true_masks \[1, 3, 8, 8\]"
    ):
        score_segmentation(TRUE, TRUE[:, :, ::2, ::2])
    with pytest.raises(ValueError, match="true_masks shows no object in scene 1"):
        score_segmentation(np.stack([TRUE[0], TRUE[0] * 0]), TRUE.repeat(2, axis=0))
    with pytest.raises(ValueError, match="true_masks shows no object in scene 0"):
        score_segmentation(TRUE[:, :1], TRUE)
    with pytest.raises(ValueError, match="masks holds a number that is not finite"):
        score_segmentation(TRUE, np.where(TRUE > 0, np.nan, 0))
    with pytest.raises(ValueError, match="reconstructions is None; give both"):
        score_segmentation(TRUE, TRUE, TRUE)
    with pytest.raises(ValueError, match="images is None; give both"):
        score_segmentation(TRUE, TRUE, reconstructions=TRUE)
    with pytest.raises(ValueError, match=r"reconstructions has shape \[1, 2, 8, 8\]"):
        score_segmentation(TRUE, TRUE, TRUE, TRUE[:, :2])
    with pytest.raises(ValueError, match="images has shape"):
        score_segmentation(TRUE, TRUE, TRUE.repeat(2, axis=0), TRUE.repeat(2, axis=0))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"true holds float64 of shape \[1, 2\]"):
        adjusted_rand_index([[0.5, 1.0]], [[0, 1]])
    with pytest.raises(ValueError, match=r"found holds int64 of shape \[2\]"):
        adjusted_rand_index([[0, 1]], [0, 1])
    with pytest.raises(ValueError, match="they must be the same"):
        adjusted_rand_index([[0, 1]], [[0, 1, 2]])
    for pool in (0, 3, -2):
        with pytest.raises(ValueError, match=f"pool is {pool}; it must divide height 8"):
            block_means(TRUE, pool)
    with pytest.raises(ValueError, match="slots is 65; it must be from 1 to 64"):
        kmeans_masks(TRUE, 65)
