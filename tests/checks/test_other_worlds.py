"""The exercises of notebook 08: right answers are let pass, wrong ones are told why."""

import re

import numpy as np
import pytest
import torch

from sbd_utils import ColoredSprites, checks
from sbd_utils.checks import NotYet

SOLVED = ": the check found nothing wrong.\n"
UNWRITTEN = "nothing is written yet"


def world(im_size=32, shape="heart", region="band", hue="y", **ranges):
    ties = {"hue": hue} if hue else {}
    ranges = {"shape": shape, **ranges}
    return ColoredSprites(im_size=im_size, ranges=ranges, region=region, ties=ties)


def test_a_world_as_it_was_asked_for(capsys):
    checks.hearts_on_a_band(world())
    checks.hearts_on_a_band(world(angle=0, size=8, saturation=1))
    assert capsys.readouterr().out.count(SOLVED) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (world(im_size=64), "say im_size=32"),
        (world(shape="square"), "other sprites than hearts"),
        (world(shape=(0, 2)), "other sprites than hearts"),
        (world(region="everywhere"), 'region="band"'),
        (world(region="disc"), 'region="band"'),
        (world(x=(15, 17)), "x and y are to be free"),
        (world(hue="x"), "follows x"),
        (world(hue=None), "does not follow y"),
        (3, "this is a int; a world is made by"),
    ],
)
def test_what_is_wrong_with_a_world_is_said(answer, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.hearts_on_a_band(answer)


def right_share(images, rebuilt):
    return (rebuilt - images).square().sum((1, 2, 3)) / images.square().sum((1, 2, 3))


def share_by_loops(images, rebuilt):
    pairs = zip(images.double(), rebuilt.double(), strict=True)
    return torch.stack([((a - b) ** 2).sum() / (a**2).sum() for a, b in pairs])


@pytest.mark.parametrize("share", [right_share, share_by_loops])
def test_the_share_in_any_form(share, capsys):
    checks.share_of_light(share)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (lambda a, b: (b - a).square().sum((1, 2, 3)), "divide by each picture's own light"),
        (lambda a, b: right_share(a, b) * 0 + 1, "where"),
        (
            lambda a, b: (b - a).square().sum((1, 2, 3)) / a.square().sum((1, 2, 3)).mean(),
            "not by the mean of all",
        ),
        (
            lambda a, b: (
                (b - a).square().sum((1, 2, 3)) / b.square().sum((1, 2, 3)).clamp_min(1e-9)
            ),
            "not of the redrawn picture",
        ),
        (lambda a, b: right_share(a, b).sqrt(), "a root has been taken"),
        (lambda a, b: (b - a).square().sum((1, 2, 3)) / a.sum((1, 2, 3)), "sums of values"),
        (lambda a, b: right_share(a, b).mean(), "has shape []"),
        (lambda a, b: right_share(a, b.sub_(a).add_(a)), "changes rebuilt"),
    ],
)
def test_what_is_wrong_with_a_share_is_said(share, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.share_of_light(share)


def right_off(codes, places, hole):
    full = np.hstack([codes, np.ones((len(codes), 1))])
    matrix, *_ = np.linalg.lstsq(full[~hole], places[~hole], rcond=None)
    return np.linalg.norm(full @ matrix - places, axis=1)[hole]


def off_with_a_say(codes, places, hole):
    full = np.hstack([codes, np.ones((len(codes), 1))])
    matrix, *_ = np.linalg.lstsq(full, places, rcond=None)
    return np.linalg.norm(full @ matrix - places, axis=1)[hole]


def off_in_codes(codes, places, hole):
    full = np.hstack([places, np.ones((len(codes), 1))])
    matrix, *_ = np.linalg.lstsq(full[~hole], codes[~hole], rcond=None)
    return np.linalg.norm(full @ matrix - codes, axis=1)[hole]


def test_the_distances_in_the_hole(capsys):
    checks.off_in_the_hole(right_off)
    assert capsys.readouterr().out.endswith(SOLVED)


@pytest.mark.parametrize(
    ("off", "told"),
    [
        (off_with_a_say, "the hole must not have a say"),
        (off_in_codes, "map codes to places"),
        (lambda z, xy, hole: right_off(z, xy, hole) ** 2, "square roots are missing"),
        (lambda z, xy, hole: right_off(z, xy, ~hole), "has shape"),
        (lambda z, xy, hole: right_off(z, xy, hole).mean(), "must be a NumPy array"),
    ],
)
def test_what_is_wrong_with_the_distances_is_said(off, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.off_in_the_hole(off)


def right_front(rate, distortion):
    no_worse = (rate <= rate[:, None]) & (distortion <= distortion[:, None])
    better = (rate < rate[:, None]) | (distortion < distortion[:, None])
    return np.flatnonzero(~(no_worse & better).any(1))


def front_by_loops(rate, distortion):
    def beaten(r, e):
        return any(a <= r and b <= e and (a < r or b < e) for a, b in points)

    points = list(zip(rate, distortion, strict=True))
    return [i for i, (r, e) in enumerate(points) if not beaten(r, e)]


def front_of_strictly_worse(rate, distortion):
    beaten = (rate < rate[:, None]) & (distortion < distortion[:, None])
    return np.flatnonzero(~beaten.any(1))


def front_without_twins(rate, distortion):
    points = list(zip(rate, distortion, strict=True))
    return [i for i in right_front(rate, distortion) if points.index(points[i]) == i]


@pytest.mark.parametrize("front", [right_front, front_by_loops])
def test_the_front_in_any_form_and_order(front, capsys):
    checks.undominated(front)
    checks.undominated(
        lambda rate, distortion: {*front(rate, distortion)} and front(rate, distortion)[::-1]
    )
    assert capsys.readouterr().out.count(SOLVED) == 2


@pytest.mark.parametrize(
    ("front", "told"),
    [
        (lambda rate, distortion: np.arange(len(rate)), "is beaten by that at 2"),
        (lambda rate, distortion: [int(np.argmin(distortion))], "the front is [0, 1, 2]"),
        (front_of_strictly_worse, "equal in one and worse in the other"),
        (front_without_twins, "do not beat each other"),
        (lambda rate, distortion: rate[right_front(rate, distortion)] + 0.5, "from 0 on"),
        (lambda rate, distortion: np.isin(rate, rate), "a mask"),
    ],
)
def test_what_is_wrong_with_a_front_is_said(front, told):
    with pytest.raises(NotYet, match=re.escape(told)):
        checks.undominated(front)


def test_what_is_not_written_yet_is_no_mistake(capsys):
    checks.hearts_on_a_band(...)
    checks.share_of_light(lambda images, rebuilt: None)
    checks.off_in_the_hole(lambda codes, places, hole: None)
    checks.undominated(lambda rate, distortion: None)
    assert capsys.readouterr().out.count(UNWRITTEN) == 4
