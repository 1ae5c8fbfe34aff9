"""The circles, finite and endless, their files, and the grid of positions."""

import itertools
import math
import time

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.utils.data import DataLoader, TensorDataset

from sbd_utils import (
    CircleStream,
    RectangleStream,
    center_of_mass,
    circles_dataset,
    evaluation_grid,
    generate_spaced_coordinates,
    render_batch,
    save_dataset,
)
from sbd_utils.data import step_seed


def test_the_circles_are_where_they_are_said_to_be():
    dataset = circles_dataset(300, seed=3)
    assert isinstance(dataset, TensorDataset)
    images, centers = dataset.tensors
    assert images.shape == (300, 1, 64, 64)
    assert images.dtype == centers.dtype == torch.float32
    assert images.min() == 0
    assert images.max() == 1
    total = images.sum((1, 2, 3))
    torch.testing.assert_close(
        total, torch.full((300,), math.pi * 25), atol=0, rtol=1e-4
    )  # diameter 10, white
    torch.testing.assert_close(center_of_mass(images), centers, atol=0.005, rtol=0)


@pytest.mark.parametrize(("im_size", "high"), [(64, 56), (32, 24), (128, 120)])
def test_centres_are_uniform(im_size, high):
    _, centers = circles_dataset(2000, seed=1, im_size=im_size).tensors
    assert centers.min() >= 8
    assert centers.max() <= high
    cells = ((centers - 8) / (high - 8) * 5).long().clamp(max=4)  # 5 x 5 cells of equal chance
    counts = torch.bincount(5 * cells[:, 0] + cells[:, 1], minlength=25).double()
    assert (
        (counts - 80).square() / 80
    ).sum() < 52  # chi-square with 24 degrees of freedom: 1 in 1,000


def test_the_same_seed_gives_the_same_bytes():
    one, same, other = (circles_dataset(20, seed).tensors for seed in (5, 5, 6))
    for a, b, c in zip(one, same, other, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()
        assert a.numpy().tobytes() != c.numpy().tobytes()
    torch.rand(3)  # nothing else is drawn from
    assert torch.equal(circles_dataset(20, 5).tensors[1], one[1])


def test_five_thousand_images_take_less_than_a_second():
    """Of one core's time: what other programs take from it does not count."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = []
        for _ in range(3):
            start = time.thread_time()
            assert len(circles_dataset(5000)) == 5000
            times.append(time.thread_time() - start)
    finally:
        torch.set_num_threads(threads)
    assert min(times) < 1


# The endless circles


def test_a_batch_depends_on_seed_and_step_alone():
    stream = CircleStream(batch_size=4, seed=2)
    images, centers = stream.batch(7, 4)
    stream.batch(3, 4)
    again = CircleStream(batch_size=9, seed=2).batch(7, 4)
    assert torch.equal(again[0], images)
    assert torch.equal(again[1], centers)
    assert torch.equal(render_batch("ellipse", *centers.T), images)
    assert images.shape == (4, 1, 64, 64)
    for other in (CircleStream(4, seed=3).batch(7, 4), stream.batch(8, 4)):
        assert not torch.isin(other[1], centers).any()


def test_a_part_of_a_batch_is_that_part():
    stream = CircleStream(seed=2)
    images, centers = stream.batch(1, 8)
    part = stream.batch(1, 8, slice(2, 5))
    assert torch.equal(part[0], images[2:5])
    assert torch.equal(part[1], centers[2:5])


def test_iterating_never_ends_and_never_repeats():
    stream = CircleStream(batch_size=16, seed=0)
    centers = torch.cat([batch[1] for batch in itertools.islice(stream, 50)])
    assert len(centers.unique(dim=0)) == 800
    assert torch.equal(centers[16:32], stream.batch(1, 16)[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_loader_hands_out_the_same_batches_with_any_number_of_workers(workers):
    stream = CircleStream(batch_size=3, seed=4)
    loader = DataLoader(stream, batch_size=None, num_workers=workers)
    for step, (images, centers) in zip(range(6), loader, strict=False):
        assert images.shape == (3, 1, 64, 64)
        assert torch.equal(centers, stream.batch(step, 3)[1])


def test_a_data_loader_takes_the_finite_circles():
    batches = list(DataLoader(circles_dataset(10), batch_size=4, shuffle=True))
    assert [len(images) for images, _ in batches] == [4, 4, 2]


def test_step_seeds_differ_and_stay():
    uses = ("images", "noise", "order")
    seeds = {step_seed(seed, step, use) for seed in range(30) for step in range(30) for use in uses}
    assert len(seeds) == 2700
    assert all(0 <= seed < 2**63 for seed in seeds)


# Files


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_a_dataset_in_a_file(suffix, tmp_path):
    dataset = circles_dataset(5, seed=1)
    path = save_dataset(dataset, tmp_path / f"circles{suffix}")
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    else:
        arrays = safetensors.torch.load_file(path)
    assert sorted(arrays) == ["centers", "images"]
    assert torch.equal(arrays["images"], dataset.tensors[0])
    assert torch.equal(arrays["centers"], dataset.tensors[1])
    again = save_dataset(circles_dataset(5, seed=1), tmp_path / f"again{suffix}")
    assert path.read_bytes() == again.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"again{suffix}", f"circles{suffix}"]


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"path ends in '\.pt'; it must end in '\.npz' or '\.safetensors'"
    ):
        save_dataset(circles_dataset(2), tmp_path / "circles.pt")
    assert list(tmp_path.iterdir()) == []


# The grid of positions


def test_a_small_grid_written_out():
    xx, yy, labels = generate_spaced_coordinates(0, 10, num_points=3, levels=2)
    assert xx.tolist() == [0, 0, 0, 10, 10, 10, 0, 5, 10, 0, 5, 10]
    assert yy.tolist() == [0, 5, 10, 0, 5, 10, 0, 0, 0, 10, 10, 10]
    assert labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_the_evaluation_grid():
    xx, yy, labels = generate_spaced_coordinates(12, 52, 31, 5)
    assert len(xx) == len(yy) == len(labels) == 310
    for label in range(10):
        fixed, along = (xx, yy) if label < 5 else (yy, xx)  # vertical lines first: x stays
        assert set(fixed[labels == label]) == {12 + 10 * (label % 5)}
        np.testing.assert_allclose(along[labels == label], np.linspace(12, 52, 31))


def test_the_rectangle_is_half_as_high_in_data_and_grid():
    stream = RectangleStream(seed=3)
    images, centers = stream.batch(0, 2000)
    low, high = centers.amin(0), centers.amax(0)
    assert [8, 20] <= low.tolist() < [8.2, 20.2]
    assert [55.8, 43.8] < high.tolist() <= [56, 44]
    torch.testing.assert_close(center_of_mass(images[:50]), centers[:50], atol=0.005, rtol=0)
    assert [(f.low, f.high) for f in stream.factors] == [(8, 56), (20, 44)]
    xx, yy, labels = evaluation_grid(64, RectangleStream.height)
    square_x, square_y, square_labels = evaluation_grid(64)
    assert np.array_equal(xx, square_x)
    np.testing.assert_allclose(yy, 32 + (square_y - 32) / 2)
    assert np.array_equal(labels, square_labels)
    assert stream.identity() != CircleStream(seed=3).identity()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            dict(low=52, high=12),
            "low is 52 and high is 12; both must be finite, and low below high",
        ),
        (dict(low=52), "low below high"),
        (dict(low=math.nan), "low is nan"),
        (dict(high=math.inf), "high is inf"),
        (dict(num_points=1), "num_points is 1; a line needs at least 2"),
        (dict(num_points=-3), "num_points is -3"),
        (dict(levels=0), "levels is 0; it must be at least 1"),
    ],
)
def test_a_bad_grid_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        generate_spaced_coordinates(**{**dict(low=12, high=52, num_points=31, levels=5), **wrong})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(num_images=0), "num_images is 0; it must be at least 1"),
        (dict(num_images=-1), "num_images is -1"),
        (dict(im_size=16), "im_size is 16; circles with a margin of 8 pixels need more than 16"),
    ],
)
def test_bad_circles_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        circles_dataset(**wrong)
