"""How well slots take scenes apart: scores of masks, their ceilings, and controls beside them.

Masks are [N, K, H, W]. Every score but the squared error gives a pixel to the mask that is greatest
there (the first, if several are). True masks have the ground first, as `Scenes` do; an object that
wins no pixel is hidden, and not asked for. No score sees everything: the foreground ARI does not
tell objects from a ground cut into tiles, and the ARI of all pixels is mostly the ground's. Read
them beside each other, and beside the controls.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

HELD = 0.5
"""A slot holds an object if their intersection is a larger share of their union than this; no two
slots can hold one object, and no slot two."""
IN_USE = 0.25
"""A slot is in use if it wins so large a share of some object's pixels, or a larger one.

A right slot of the ground takes less of an object along its edge, unless masks are very coarse:
read the score beside its ceiling."""


class SegmentationScores(NamedTuple):
    """One number for each scene, [N] each."""

    foreground_ari: np.ndarray
    """Adjusted Rand index of the pixels that are an object's, as Greff et al. 2019 report it."""
    ari: np.ndarray
    """Adjusted Rand index of all pixels."""
    matched_iou: np.ndarray
    """Intersection over union of objects and the slots they are matched with, so that the mean over
    a scene's objects is the greatest (Kuhn 1955); an object without a slot counts 0."""
    held: np.ndarray
    """Share of the scene's objects that a slot holds, see `HELD`."""
    surplus_slots: np.ndarray
    """Slots in use, see `IN_USE`, minus objects: 0 is right, less is merged, more is split."""
    squared_error: np.ndarray | None
    """Mean over pixels and channels, if reconstructions were given."""

    def means(self) -> dict[str, float]:
        """The mean over scenes of each score, by name."""
        scores = self._asdict().items()
        return {name: float(values.mean()) for name, values in scores if values is not None}


def score_segmentation(
    true_masks: ArrayLike,
    masks: ArrayLike,
    images: ArrayLike | None = None,
    reconstructions: ArrayLike | None = None,
) -> SegmentationScores:
    """All scores of some slots' masks.

    Args:
        true_masks: [N, K + 1, H, W], the ground first.
        masks: [N, S, H, W], in any order; of the same resolution: average true masks over blocks to
            score coarse ones.
        images: [N, C, H, W].
        reconstructions: Likewise.

    Raises:
        ValueError: Other shapes, numbers that are not finite, a scene that shows no object, or
            images without reconstructions, or the other way round.

    Example:
        >>> true = np.zeros((1, 3, 2, 4))  # a ground, and two objects of two pixels
        >>> true[0, 1, :, 0] = true[0, 2, :, 1] = true[0, 0, :, 2:] = 1
        >>> merged = np.stack([true[:, 0], true[:, 1] + true[:, 2]], 1)
        >>> scores = score_segmentation(true, merged).means()
        >>> [f"{name} {value:.2f}" for name, value in scores.items()]
        ['foreground_ari 0.00', 'ari 0.70', 'matched_iou 0.25', 'held 0.00', 'surplus_slots -1.00']
    """
    counts = _counts(true_masks, masks)  # [N, K + 1, S]
    objects = counts[:, 1:]
    pixels = objects.sum(2)  # [N, K] of each object
    visible = pixels > 0
    hidden = np.flatnonzero(~visible.any(1))
    if len(hidden):
        raise ValueError(f"true_masks shows no object in scene {hidden[0]}; each must show one")
    iou = _intersection_over_union(counts)  # [N, K, S]
    number = visible.sum(1)
    in_use = (objects >= IN_USE * np.maximum(pixels, 1)[:, :, None]).any(1)  # [N, S]
    return SegmentationScores(
        foreground_ari=_adjusted_rand_index(objects),
        ari=_adjusted_rand_index(counts),
        matched_iou=np.array([_matched(scene) for scene in iou]) / number,
        held=(iou > HELD).any(2).sum(1) / number,
        surplus_slots=in_use.sum(1) - number,
        squared_error=_squared_error(images, reconstructions, len(counts)),
    )


def holding_slots(true_masks: ArrayLike, masks: ArrayLike) -> np.ndarray:
    """Which slot holds each object, see `HELD`: whole numbers [N, K], -1 where none does.

    Args:
        true_masks: [N, K + 1, H, W], the ground first.
        masks: [N, S, H, W].

    Raises:
        ValueError: Other shapes, or numbers that are not finite.
    """
    iou = _intersection_over_union(_counts(true_masks, masks))
    return np.where(iou.max(2) > HELD, iou.argmax(2), -1)


def _counts(true_masks: ArrayLike, masks: ArrayLike) -> np.ndarray:
    """Pixels of each thing that each slot wins, the ground first: [N, K + 1, S]."""
    true_masks, masks = _masks("true_masks", true_masks), _masks("masks", masks)
    _check_pair("masks", masks, "true_masks", true_masks)
    true, found = true_masks.argmax(1), masks.argmax(1)  # [N, H, W]
    return _contingency(true, found, true_masks.shape[1], masks.shape[1])


def _intersection_over_union(counts: np.ndarray) -> np.ndarray:
    """Of objects and slots: [N, K, S] from `_counts`."""
    objects = counts[:, 1:]
    union = objects.sum(2, keepdims=True) + counts.sum(1)[:, None] - objects
    return objects / np.maximum(union, 1)


def adjusted_rand_index(true: ArrayLike, found: ArrayLike) -> np.ndarray:
    """How far two partitions agree, corrected for chance: 1 if they are the same, 0 on average.

    Hubert & Arabie 1985, Comparing Partitions, equation 5. It counts the pairs of points that are
    together in both. Where no pair tells the partitions apart, as two without any cut, it is 1.

    Args:
        true: The class of each point, whole numbers [N, P].
        found: Likewise; which number a class has does not matter.

    Returns:
        [N].

    Raises:
        ValueError: Other shapes, no points, or numbers that are not whole.

    Example:
        >>> adjusted_rand_index([[0, 0, 1, 1]], [[1, 1, 0, 0]])
        array([1.])
        >>> adjusted_rand_index([[0, 0, 1, 1]], [[0, 1, 0, 1]])
        array([-0.5])
    """
    true, found = _labels("true", true), _labels("found", found)
    if true.shape != found.shape:
        shapes = f"true has shape {list(true.shape)}, found {list(found.shape)}"
        raise ValueError(f"{shapes}; they must be the same")
    return _adjusted_rand_index(_contingency(true, found, true.max() + 1, found.max() + 1))


def block_means(values: ArrayLike, pool: int) -> np.ndarray:
    """[N, K, H, W] of means over blocks of pool x pool pixels, as large as they were.

    Raises:
        ValueError: values is not [N, K, H, W], or pool does not divide its height and width.
    """
    values = _masks("values", values)
    height, width = values.shape[2:]
    if pool < 1 or height % pool or width % pool:
        raise ValueError(f"pool is {pool}; it must divide height {height} and width {width}")
    blocks = values.reshape(*values.shape[:2], height // pool, pool, width // pool, pool)
    means = blocks.mean((3, 5))  # [N, K, H / pool, W / pool]
    return means.repeat(pool, axis=2).repeat(pool, axis=3)


def block_ceiling(true_masks: ArrayLike, images: ArrayLike, pool: int) -> SegmentationScores:
    """The scores of true masks and images averaged over blocks: the best at that resolution.

    Args:
        true_masks: [N, K + 1, H, W], the ground first.
        images: [N, C, H, W].
        pool: Width of a block in pixels.

    Raises:
        ValueError: As `score_segmentation` and `block_means` do.
    """
    blurred = (block_means(true_masks, pool), block_means(images, pool))
    return score_segmentation(true_masks, blurred[0], images, blurred[1])


# Controls: masks [N, S, H, W] of 0 and 1 that were not learned.


def random_masks(shape: tuple[int, int, int, int], seed: int = 0) -> np.ndarray:
    """Every pixel given to one of the slots at random.

    Args:
        shape: (N, S, H, W).
        seed: Of the draw.
    """
    count, slots, height, width = shape
    labels = np.random.default_rng(seed).integers(0, slots, (count, height, width))
    return _one_hot(labels, slots)


def voronoi_masks(shape: tuple[int, int, int, int], seed: int = 0) -> np.ndarray:
    """Tiles that look at no image: every pixel given to the nearest of S points at random.

    Args:
        shape: (N, S, H, W).
        seed: Of the points.
    """
    count, slots, height, width = shape
    frame = np.array([height, width])
    points = np.random.default_rng(seed).random((count, slots, 2)) * frame
    pixels = np.stack(np.meshgrid(*map(np.arange, frame), indexing="ij"), -1) + 0.5  # [H, W, 2]
    offsets = pixels[None, None] - points[:, :, None, None]  # [N, S, H, W, 2]
    return _one_hot(np.square(offsets).sum(-1).argmin(1), slots)


def kmeans_masks(
    images: ArrayLike, slots: int, seed: int = 0, position_weight: float = 0.25
) -> np.ndarray:
    """Clusters of each image's pixels by colour and position (Lloyd 1982; best of four starts).

    Strong where each object has a colour of its own. Objects of one colour that are near each other
    it merges, and clusters that are to spare cut the ground.

    Args:
        images: [N, C, H, W] in [0, 1].
        slots: Clusters of an image.
        seed: Of the starts.
        position_weight: How far apart, as colours are, opposite borders of an image count.

    Raises:
        ValueError: images is not [N, C, H, W] of finite numbers, or an image has fewer pixels than
            slots.
    """
    from sklearn.cluster import KMeans  # here, because it takes seconds

    images = _masks("images", images)
    count, channels, height, width = images.shape
    if not 1 <= slots <= height * width:
        wanted = f"it must be from 1 to {height * width}, the pixels of an image"
        raise ValueError(f"slots is {slots}; {wanted}")
    sides = [(np.arange(side) + 0.5) / side for side in (height, width)]
    rows, columns = np.meshgrid(*sides, indexing="ij")
    places = position_weight * np.stack([rows.ravel(), columns.ravel()], 1)  # [H * W, 2]
    labels = np.empty((count, height * width), dtype=np.int64)
    for number, image in enumerate(images):
        points = np.concatenate([image.reshape(channels, -1).T, places], 1)  # [H * W, C + 2]
        clusters = KMeans(slots, n_init=4, random_state=seed)
        labels[number] = clusters.fit_predict(points)
    return _one_hot(labels.reshape(count, height, width), slots)


def _one_hot(labels: np.ndarray, slots: int) -> np.ndarray:
    """float32 [N, S, H, W] of labels [N, H, W]."""
    return (labels[:, None] == np.arange(slots)[:, None, None]).astype(np.float32)


def _contingency(true: np.ndarray, found: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """How many points of each scene are in each class of both: float64 [N, rows, columns]."""
    count = len(true)
    scene = np.arange(count)[:, None]
    cells = (scene * rows + true.reshape(count, -1)) * columns + found.reshape(count, -1)
    counts = np.bincount(cells.ravel(), minlength=count * rows * columns)
    return counts.reshape(count, rows, columns).astype(np.float64)


def _adjusted_rand_index(counts: np.ndarray) -> np.ndarray:
    """[N] of contingency tables [N, A, B]."""
    both = _pairs(counts).sum((1, 2))
    true, found = _pairs(counts.sum(2)).sum(1), _pairs(counts.sum(1)).sum(1)
    everything = _pairs(counts.sum((1, 2)))
    expected = true * found / np.maximum(everything, 1)
    # Equal only if both partitions have no cut, or nothing but cuts: then they are the same.
    same = (true == found) & ((true == 0) | (true == everything))
    room = np.where(same, 1, (true + found) / 2 - expected)
    return np.where(same, 1, (both - expected) / room)


def _pairs(number: np.ndarray) -> np.ndarray:
    return number * (number - 1) / 2


def _matched(iou: np.ndarray) -> float:
    """The greatest total of a matching of objects and slots [K, S]."""
    from scipy.optimize import linear_sum_assignment  # here, because it takes seconds

    objects, slots = linear_sum_assignment(iou, maximize=True)
    return float(iou[objects, slots].sum())


def _squared_error(
    images: ArrayLike | None, reconstructions: ArrayLike | None, count: int
) -> np.ndarray | None:
    if images is None and reconstructions is None:
        return None
    if images is None or reconstructions is None:
        missing = "images" if images is None else "reconstructions"
        raise ValueError(f"{missing} is None; give both images and reconstructions, or neither")
    images, reconstructions = _masks("images", images), _masks("reconstructions", reconstructions)
    if len(images) != count:
        raise ValueError(
            f"images has shape {list(images.shape)}; there are masks of {count} scenes"
        )
    if images.shape != reconstructions.shape:
        found = f"reconstructions has shape {list(reconstructions.shape)}"
        raise ValueError(f"{found}; it must be that of images, {list(images.shape)}")
    return np.square(images - reconstructions).mean((1, 2, 3))


def _masks(name: str, values: ArrayLike) -> np.ndarray:
    """[N, K, H, W] in float64."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 4 or 0 in values.shape:
        wanted = "it must be [N, K, H, W], with none of them 0"
        raise ValueError(f"{name} has shape {list(values.shape)}; {wanted}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds a number that is not finite; every one must be finite")
    return values


def _check_pair(name: str, values: np.ndarray, other_name: str, others: np.ndarray) -> None:
    if (len(values), *values.shape[2:]) != (len(others), *others.shape[2:]):
        shapes = f"{name} has shape {list(values.shape)}, {other_name} {list(others.shape)}"
        raise ValueError(f"{shapes}; N, H and W must be the same")


def _labels(name: str, values: ArrayLike) -> np.ndarray:
    """Classes [N, P] as numbers from 0 on."""
    values = np.asarray(values)
    if values.ndim != 2 or 0 in values.shape or values.dtype.kind not in "iub":
        found = f"{name} holds {values.dtype} of shape {list(values.shape)}"
        raise ValueError(f"{found}; it must be whole numbers [N, P], at least one")
    return np.unique(values, return_inverse=True)[1].reshape(values.shape)
