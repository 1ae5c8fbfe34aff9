"""What the explorer says of pictures."""

import re

import numpy as np
import pytest

from sbd_utils.data import draw_circles
from sbd_utils.explorer.spots import describe_picture, find_spots


def circles(*places: tuple[float, float], light: float = 1.0) -> np.ndarray:
    """uint8 [64, 64] circles at these places."""
    images = draw_circles(*np.transpose(places), im_size=64)
    return (255 * light * images.amax(0)[0]).round().byte().numpy()


def test_one_spot_and_how_light_it_is():
    assert describe_picture(circles((20, 44))) == "a bright spot at x 20, y 44 pixels"
    assert describe_picture(circles((20, 44), light=0.5)) == "a pale spot at x 20, y 44 pixels"
    assert describe_picture(circles((20, 44), light=0.2)) == "a dark picture"


@pytest.mark.parametrize("light", [0.4, 1.0])
@pytest.mark.parametrize("places", [[(12, 32), (52, 32)], [(12, 12), (30, 50), (52, 20)]])
def test_of_several_spots_each_is_named_and_nothing_between_them(places, light):
    picture = circles(*places, light=light)
    text = describe_picture(picture)
    named = [(int(x), int(y)) for x, y in re.findall(r"x (\d+), y (\d+)", text)]
    assert sorted(named) == sorted(places)
    assert text.startswith(f"{len(places)} {'bright' if light == 1 else 'pale'} spots, at x ")


@pytest.mark.parametrize("light", [0.3, 0.45, 0.6])  # of the pale one: below half the other, too
def test_a_pale_spot_beside_a_bright_one_is_named_and_not_called_bright(light):
    picture = np.maximum(circles((12, 32)), circles((50, 20), light=light))
    both = ["x 12, y 32 (bright)", "x 50, y 20 (pale)"]
    told = {f"2 spots, at {' and '.join(order)} pixels" for order in (both, both[::-1])}
    assert describe_picture(picture) in told


def test_light_around_a_bright_spot_is_no_spot_of_its_own():
    picture = np.maximum(circles((32, 32)), circles((36, 32), light=0.45))  # it touches the other
    assert describe_picture(picture) == "a bright spot at x 32, y 32 pixels"


def test_a_place_that_is_named_is_on_the_spot_even_where_that_is_a_ring():
    picture = circles((32, 32))
    picture[24:40, 24:40] = 0
    picture[20:44, 20] = picture[20:44, 44] = picture[20, 20:44] = picture[44, 20:45] = 200
    (x, y), *others = re.findall(r"x (\d+), y (\d+)", describe_picture(picture))
    assert others == []
    assert picture[int(y) - 1 : int(y) + 1, int(x) - 1 : int(x) + 1].max() == 200


def test_light_everywhere_and_many_spots_are_no_list():
    assert describe_picture(np.full((32, 32), 120, np.uint8)) == "light over most of the picture"
    dots = np.zeros((32, 32), np.uint8)
    dots[::8, ::8] = 255
    assert describe_picture(dots) == "light in 16 places"


def test_color_counts_as_light():
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[8:12, 20:24, 2] = 255
    assert describe_picture(picture) == "a bright spot at x 22, y 10 pixels"


def test_spots_are_the_connected_parts():
    mask = np.random.default_rng(0).random((20, 20)) < 0.3
    spots = find_spots(mask)
    assert np.array_equal(np.sum(spots, axis=0), mask)  # each pixel in one of them
    sizes = [np.count_nonzero(spot) for spot in spots]
    assert sizes == sorted(sizes, reverse=True)
    diagonal = np.eye(20, dtype=bool)
    assert len(find_spots(diagonal)) == 1
    assert find_spots(np.zeros((4, 4), bool)) == []
