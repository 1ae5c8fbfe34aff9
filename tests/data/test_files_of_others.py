"""dSprites and 3D Shapes, on small files of the same layout as the published ones."""

import io
import itertools
import math
import pickle
import zipfile

import h5py
import numpy as np
import pytest
import torch

from sbd_utils import DSprites, Shapes3D, draw_circles, hsv_to_rgb
from sbd_utils.data import FILES, STREAMS, CircleStream, make_stream

# dSprites: colour, shape, scale, orientation, posX, posY
SIZES = (1, 3, 2, 4, 5, 6)
PLACES = (np.linspace(20, 44, 5), np.linspace(18, 42, 6))
"""Where the file's x and y, from 0 to 1, are in the pictures."""


def dsprites_arrays():
    classes = np.array(list(itertools.product(*map(range, SIZES))), dtype=np.int64)
    levels = [
        np.array([1.0]),
        np.arange(1.0, 4.0),
        np.array([0.5, 1.0]),
        np.linspace(0, 2 * math.pi, 4),
        np.linspace(0, 1, 5),
        np.linspace(0, 1, 6),
    ]
    values = np.stack([level[c] for level, c in zip(levels, classes.T, strict=True)], 1)
    size = 5 + 3 * values[:, 2] + values[:, 1]
    x, y = PLACES[0][classes[:, 4]], PLACES[1][classes[:, 5]]
    pictures = draw_circles(x, y, 64, size).numpy()[:, 0] > 0.5
    return dict(imgs=pictures.astype(np.uint8), latents_values=values, latents_classes=classes)


ARRAYS = dsprites_arrays()


def write_npz(path, stored=False, **changes):
    """As the published file: compressed, its metadata a pickle."""
    arrays = {**ARRAYS, **changes}
    save = np.savez if stored else np.savez_compressed
    metadata = np.array({"title": "made by a test"}, dtype=object)
    save(path, metadata=metadata, **{k: v for k, v in arrays.items() if v is not None})
    return path


@pytest.fixture(scope="module", params=["compressed", "stored"])
def npz(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("dsprites") / f"{request.param}.npz"
    return write_npz(path, stored=request.param == "stored")


def test_pictures_are_those_of_their_factors(npz):
    world = DSprites(npz)
    assert [f.name for f in world.factors] == ["shape", "size", "angle", "x", "y"]
    for number in (0, 100, 357, 719):
        numbers = np.unravel_index(number, SIZES)[1:]
        factors = [f.levels[i] for f, i in zip(world.factors, numbers, strict=True)]
        picture = world.render(torch.tensor([factors]))[0, 0]
        assert np.array_equal(picture.numpy(), ARRAYS["imgs"][number])
        nudged = torch.tensor([factors]) + torch.tensor([[0.3, 0.1, 20.0, 2.0, -2.0]])
        assert torch.equal(world.render(nudged)[0, 0], picture)  # the nearest levels


def test_factors_have_the_units_that_are_said(npz):
    shape, size, angle, x, y = DSprites(npz).factors
    assert shape.kinds == ("square", "ellipse", "heart")
    assert size.levels == (0.5, 1.0)
    np.testing.assert_allclose(angle.levels, [0, 120, 240, 360], atol=1e-4)
    assert (angle.period, angle.unit) == (360, "degrees")
    np.testing.assert_allclose(x.levels, PLACES[0], atol=0.3)  # whole pixels are lit
    np.testing.assert_allclose(y.levels, PLACES[1], atol=0.3)
    assert x.unit == y.unit == "pixels"


def test_batches_are_uniform_over_the_levels_and_depend_on_seed_and_step(npz):
    world = DSprites(npz, seed=3)
    images, factors = world.batch(2, 600)
    assert images.shape == (600, 1, 64, 64)
    assert images.dtype == torch.float32
    assert set(images.unique().tolist()) == {0, 1}
    for column, factor in zip(factors.T, world.factors, strict=True):
        counts = [(column == torch.tensor(level)).sum().item() for level in factor.levels]
        assert sum(counts) == 600
        assert min(counts) > 0.6 * 600 / len(counts)
    again = DSprites(npz, seed=3).batch(2, 600, slice(5, 9))
    assert torch.equal(again[0], images[5:9])
    assert torch.equal(again[1], factors[5:9])
    assert not torch.equal(world.batch(3, 600)[1], factors)


def test_pictures_are_coloured_on_the_fly_the_same_way_every_time(npz):
    white, colored = DSprites(npz, seed=1), DSprites(npz, seed=1, colored=True)
    images, factors = colored.batch(4, 50)
    assert images.shape == (50, 3, 64, 64)
    assert [f.name for f in colored.factors][5:] == ["hue", "saturation", "value"]
    expected = hsv_to_rgb(*factors[:, 5:].T)[:, :, None, None] * white.render(factors[:, :5])
    torch.testing.assert_close(images, expected, atol=1e-6, rtol=0)
    assert torch.equal(DSprites(npz, seed=1, colored=True).batch(4, 50)[0], images)
    assert not torch.equal(DSprites(npz, seed=2, colored=True).batch(4, 50)[1], factors)


def test_smaller_pictures_are_means_of_blocks(npz):
    large, small = (DSprites(npz, im_size=size).batch(0, 20)[0] for size in (64, 32))
    expected = large.unflatten(2, (32, 2)).unflatten(4, (32, 2)).mean((3, 5))
    torch.testing.assert_close(small, expected)
    with pytest.raises(ValueError, match="im_size is 48; it must divide the 64 pixels"):
        DSprites(npz, im_size=48)


def test_levels_are_kept_by_range(npz):
    world = DSprites(npz, ranges={"shape": "heart", "x": (25, 40), "angle": (0, 300)})
    shape, _, angle, x, _ = world.factors
    assert shape.levels == (2,)
    assert len(x.levels) == 3
    assert angle.period is None
    _, factors = world.batch(0, 100)
    assert factors[:, 0].unique().tolist() == [2]
    assert factors[:, 3].min() > 25
    with pytest.raises(ValueError, match=r"ranges\['x'\] is 3; its levels are 20"):
        DSprites(npz, ranges={"x": 3})


def test_the_pickle_is_never_read(tmp_path):
    """One that would run when it is read does no harm."""

    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    path = tmp_path / "d.npz"
    write_npz(path)
    content = io.BytesIO()
    np.lib.format.write_array(content, np.array([Harm()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.npy", content.getvalue())
    assert pickle.dumps(Harm())
    assert DSprites(path).batch(0, 2)[0].shape == (2, 1, 64, 64)
    write_npz(path, latents_values=np.array([Harm()], dtype=object))
    with pytest.raises(ValueError, match=r"d\.npz: latents_values cannot be read"):
        DSprites(path)
    assert not (tmp_path / "harm").exists()


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def flip(path):
    """Change a byte in the middle of the compressed pictures."""
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "there is no file .*get dsprites_ndarray_.*anew"),
        (lambda path: cut(path, 0.5), "cannot be read .*it is damaged; get dsprites_ndarray"),
        (lambda path: cut(path, 0), "cannot be read"),
        (flip, "cannot be read|has a pixel"),
        (lambda path: path.write_bytes(b"<!doctype html>" * 100), "cannot be read"),
        (lambda path: write_npz(path, imgs=None), "has no array 'imgs': it is not dSprites"),
        (lambda path: write_npz(path, latents_classes=None), "no array 'latents_classes'"),
        (lambda path: write_npz(path, imgs=255 * ARRAYS["imgs"]), "has a pixel of 255"),
        (
            lambda path: write_npz(path, imgs=ARRAYS["imgs"].astype(float)),
            r"imgs of float64 \[720, 64, 64\]; they must be uint8",
        ),
        (lambda path: write_npz(path, imgs=ARRAYS["imgs"][:-1]), r"both must be \[719, 6\]"),
        (
            lambda path: write_npz(path, **{name: a[:-7] for name, a in ARRAYS.items()}),
            "holds 713 images, not one for every combination",
        ),
        (
            lambda path: write_npz(path, latents_classes=ARRAYS["latents_classes"][::-1]),
            "not one for every combination of the factors, the last changing fastest",
        ),
    ],
)
def test_a_wrong_file_of_dsprites_is_refused(spoil, message, tmp_path):
    path = write_npz(tmp_path / "d.npz")
    spoil(path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        DSprites(path)


def test_a_stored_file_that_is_cut_or_not_of_bits_is_refused(tmp_path):
    path = write_npz(tmp_path / "d.npz", stored=True)
    cut(path, 0.9)
    with pytest.raises(ValueError, match="cannot be read"):
        DSprites(path)
    world = None
    with pytest.raises(ValueError, match="pixel of 255; the pixels of dSprites are 0 or 1"):
        world = DSprites(write_npz(path, stored=True, imgs=255 * ARRAYS["imgs"]))
    assert world is None


# 3D Shapes: floor hue, wall hue, object hue, scale, shape, orientation
H5_SIZES = (2, 3, 2, 2, 4, 3)


def write_h5(path, **changes):
    levels = [
        np.arange(2) / 10,
        np.arange(3) / 10,
        np.arange(2) / 10,
        np.array([0.75, 1.25]),
        np.arange(4.0),
        np.linspace(-30, 30, 3),
    ]
    labels = np.array(list(itertools.product(*levels)))  # float64, orientation fastest
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 64, 64, 3), dtype=np.uint8)
    arrays = {"images": images, "labels": labels, **changes}
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            if array is not None:
                file.create_dataset(name, data=array, chunks=True, compression="gzip")
    return path, images, labels


@pytest.fixture(scope="module")
def h5(tmp_path_factory):
    return write_h5(tmp_path_factory.mktemp("shapes3d") / "3dshapes.h5")


def test_pictures_of_3d_shapes_are_those_of_their_labels(h5):
    path, images, labels = h5
    world = Shapes3D(path, seed=2)
    names = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"]
    assert [f.name for f in world.factors] == names
    numbers = [287, 3, 100, 3]  # not in order, one twice
    found = world.render(torch.tensor(labels[numbers]))
    np.testing.assert_allclose(found.permute(0, 2, 3, 1), images[numbers] / 255, atol=1e-6)
    batch, factors = world.batch(1, 40)
    assert batch.shape == (40, 3, 64, 64)
    at = [int(np.abs(labels - row).sum(1).argmin()) for row in factors.double().numpy()]
    np.testing.assert_allclose(batch.permute(0, 2, 3, 1), images[at] / 255, atol=1e-6)
    again = Shapes3D(path, seed=2).batch(1, 40, slice(3, 7))
    assert torch.equal(again[0], batch[3:7])
    assert [world.factors[i].name for i in world.plane] == ["scale", "orientation"]
    assert world.factors[4].kinds == ("cube", "cylinder", "sphere", "capsule")
    assert (world.factors[0].period, world.factors[5].period) == (1.0, None)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.unlink(), "there is no file .*get 3dshapes.h5 anew"),
        (lambda path: cut(path, 0.5), "cannot be read .*get 3dshapes.h5 anew"),
        (lambda path: path.write_bytes(b"no HDF5"), "cannot be read"),
        (lambda path: write_h5(path, images=None), "has no 'images': it is not 3D Shapes"),
        (lambda path: write_h5(path, labels=None), "has no 'labels'"),
        (
            lambda path: write_h5(path, images=np.zeros((288, 64, 64, 1), np.uint8)),
            r"images of uint8 \[288, 64, 64, 1\]",
        ),
        (lambda path: write_h5(path, labels=np.zeros((288, 6))), "not one for every combination"),
    ],
)
def test_a_wrong_file_of_3d_shapes_is_refused(spoil, message, tmp_path):
    path, *_ = write_h5(tmp_path / "3dshapes.h5")
    spoil(path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        Shapes3D(path)


def test_without_h5py_the_error_says_what_to_install(h5, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(ImportError, match="install it with `pip install h5py`"):
        Shapes3D(h5[0])


@pytest.mark.parametrize("name", ["dsprites", "shapes3d"])
def test_factors_that_are_none_are_refused(npz, h5, name):
    world = make_stream(name, path={"dsprites": npz, "shapes3d": h5[0]}[name])
    factors = world.sample(2, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"factors has shape \[\d\]; it must be \[N, \d\]"):
        world.render(factors[0])
    factors[1, 0] = torch.nan
    with pytest.raises(ValueError, match="factors holds a number that is not finite"):
        world.render(factors)


# By name


def test_every_data_set_is_had_by_its_name(npz, h5):
    paths = {"dsprites": npz, "dsprites-coloured": npz, "shapes3d": h5[0]}
    assert set(paths) == set(FILES)
    for name in STREAMS:
        world = make_stream(name, seed=4, im_size=32, path=paths.get(name))
        images, factors = world.batch(0, 3)
        assert images.shape[-1] == 32
        assert factors.shape == (3, len(world.factors))
        assert world.seed == 4
    assert type(make_stream("circles")) is CircleStream


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(name="hexagons"), "dataset is 'hexagons'; it must be one of 'circles'"),
        (
            dict(name="dsprites"),
            r"dataset is 'dsprites', which is read from a file: say which \(--data\)",
        ),
        (dict(name="circles", path="c.npz"), "dataset is 'circles', which reads no file; these do"),
    ],
)
def test_names_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_stream(**arguments)
