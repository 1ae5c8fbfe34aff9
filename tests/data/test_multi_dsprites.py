"""Multi-dSprites, on small files of the same layout that are written here."""

import gzip
import itertools

import numpy as np
import pytest
import torch

from sbd_utils import MultiDSprites
from sbd_utils.data import as_batches, join_scenes
from sbd_utils.data.multi_dsprites import COLUMNS, ENTITIES
from sbd_utils.files import CorruptFileError
from tests.test_tfrecords import example, framed, write

SCENES = 7


def scene(variant, number):
    """The values of a record: squares that cover one another, as the published definition has them."""
    entities = ENTITIES[variant]
    channels = 1 if variant == "binarized" else 3
    generator = np.random.default_rng(number)
    colors = generator.integers(1, 256, (entities, channels)).astype(np.uint8)
    objects = generator.integers(1, entities)
    label = np.zeros((64, 64), dtype=np.int64)
    for k in range(1, objects + 1):
        row, column = generator.integers(0, 50, 2)
        label[row : row + 14, column : column + 14] = k
    numbers = {name: generator.random(entities).astype(np.float32) for name in COLUMNS}
    visibility = (np.arange(entities) <= objects).astype(np.float32)
    mask = 255 * (label[..., None] == np.arange(entities)).astype(np.uint8)  # [64, 64, entities]
    return {
        "image": colors[label].tobytes(),
        "mask": mask.tobytes(),
        **{name: values.tolist() for name, values in numbers.items()},
        "color": (colors / 255).ravel().tolist(),
        "visibility": visibility.tolist(),
    }


def parts(variant, number):
    """Label [64, 64], image [64, 64, C], factors and visibility of a scene, read back by NumPy alone."""
    values, entities = scene(variant, number), ENTITIES[variant]
    mask = np.frombuffer(values["mask"], np.uint8).reshape(64, 64, entities)
    image = np.frombuffer(values["image"], np.uint8).reshape(64, 64, -1)
    factors = np.stack([np.float32(values[name]) for name in COLUMNS], 1)
    return mask.argmax(2), image, factors, np.array(values["visibility"]) > 0


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multi_dsprites")
    return {
        variant: write(
            folder / f"multi_dsprites_{variant}.tfrecords",
            [example(scene(variant, number)) for number in range(SCENES)],
        )
        for variant in ENTITIES
    }


@pytest.mark.parametrize("variant", ENTITIES)
def test_scenes_are_those_of_the_file(paths, variant):
    batches = list(MultiDSprites(paths[variant], variant, batch_size=3))
    assert [len(batch.images) for batch in batches] == [3, 3, 1]
    images, masks, factors, present, colors = join_scenes(batches)
    entities, channels = ENTITIES[variant], 1 if variant == "binarized" else 3
    assert images.shape == (SCENES, channels, 64, 64)
    assert masks.shape == (SCENES, entities, 64, 64)
    assert factors.shape == (SCENES, entities - 1, len(COLUMNS))
    for number in range(SCENES):
        label, image, given, visible = parts(variant, number)
        assert np.array_equal(masks[number].argmax(0), label)
        np.testing.assert_array_equal(images[number].permute(1, 2, 0), np.float32(image / 255))
        assert np.array_equal(present[number], visible[1:])
        np.testing.assert_array_equal(factors[number][visible[1:]], given[1:][visible[1:]])
        assert not factors[number][~visible[1:]].any()
    assert torch.equal(masks.sum(1), torch.ones(SCENES, 64, 64))
    blend = torch.einsum("nkhw,nkc->nchw", masks, colors)
    torch.testing.assert_close(blend, images, atol=1e-6, rtol=0)


def test_some_scenes_can_be_trained_on(paths):
    first = join_scenes(itertools.islice(MultiDSprites(paths["binarized"], "binarized", 2), 2))
    [batch] = as_batches(first.images, [4, 4], seed=0).batch(1, 4)
    assert batch.shape == (4, 1, 64, 64)


def test_only_what_is_asked_for_is_read(paths, tmp_path):
    """A file that is damaged further on is good up to there."""
    good = [framed(example(scene("binarized", number))) for number in range(4)]
    damaged = bytearray(b"".join(good))
    damaged[-100] ^= 1
    (tmp_path / "damaged").write_bytes(gzip.compress(bytes(damaged)))
    batches = iter(MultiDSprites(tmp_path / "damaged", "binarized", batch_size=1))
    assert [len(next(batches).images) for _ in range(3)] == [1, 1, 1]
    with pytest.raises(CorruptFileError, match=r"record 3 cannot be read .*checksum"):
        next(batches)


def test_iterating_again_starts_at_the_beginning(paths):
    scenes = MultiDSprites(paths["binarized"], "binarized", batch_size=2)
    first, again = next(iter(scenes)), next(iter(scenes))
    assert torch.equal(first.images, again.images)


def test_another_variant_is_noticed(paths):
    told = r"record 0 is no scene of 'colored_on_colored' .'mask' is 24576 bytes; it must be 20480 bytes"
    with pytest.raises(CorruptFileError, match=told):
        next(iter(MultiDSprites(paths["colored_on_grayscale"], "colored_on_colored")))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (dict(image=None), "'image' is missing; it must be 4096 bytes"),
        (dict(image=[1.0]), "'image' is 1 numbers; it must be 4096 bytes"),
        (dict(x=[0.5]), "'x' is 1 numbers; it must be 4 numbers"),
        (dict(visibility=b"1111"), "'visibility' is 4 bytes; it must be 4 numbers"),
        (dict(mask=bytes(4 * 4096)), "its masks are not 255 in one entity and 0 in the others"),
        (dict(mask=b"\xff" * 4 * 4096), "its masks are not 255 in one entity"),
        (dict(mask=b"\x7f\x80\x00\x00" * 4096), "its masks are not 255 in one entity"),
    ],
)
def test_a_record_that_is_no_scene_is_refused(tmp_path, changes, told):
    values = {**scene("binarized", 0), **changes}
    content = example({name: value for name, value in values.items() if value is not None})
    path = write(tmp_path / "wrong", [content])
    with pytest.raises(CorruptFileError, match=f"record 0 is no scene of 'binarized' .{told}"):
        next(iter(MultiDSprites(path, "binarized")))


def test_a_missing_file_says_where_to_get_it(tmp_path):
    told = "get multi_dsprites_binarized.tfrecords as the repository google-deepmind/multi_object_datasets says"
    with pytest.raises(FileNotFoundError, match=told):
        MultiDSprites(tmp_path / "away", "binarized")


def test_wrong_arguments_are_named(paths):
    with pytest.raises(ValueError, match="variant is 'colored'; it must be one of 'binarized'"):
        MultiDSprites(paths["binarized"], "colored")
    with pytest.raises(ValueError, match="batch_size is 0; it must be at least 1"):
        MultiDSprites(paths["binarized"], "binarized", batch_size=0)
