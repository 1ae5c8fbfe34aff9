"""What is to be seen in a picture, in words: for those who do not see it, and to check by."""

import numpy as np

DARK = 64
"""What has no pixel as light as this, of 255, is called dark."""
BRIGHT = 170
"""A spot without a pixel as light as this is called pale."""
LIGHT_SHARE = 0.5
"""A pixel belongs to a spot from this share of the light of the lightest one near it on."""
WIDE = 0.4
"""Light over a larger share of the picture than this is no spot."""
MOST = 4
"""More spots than these are not told one by one."""


def describe_picture(picture: np.ndarray) -> str:
    """What is to be seen, without a full stop.

    Args:
        picture: uint8 [H, W] or [H, W, 3].

    Returns:
        Such as "a bright spot at x 32, y 20 pixels" or "2 pale spots, at x 12, y 30 and x 40, y 33
        pixels"; a place that is named lies on the spot. Where bright and pale ones are seen: "2
        spots, at x 12, y 30 (bright) and x 40, y 33 (pale) pixels".
    """
    light = picture.reshape(*picture.shape[:2], -1).max(2)
    if light.max() < DARK:
        return "a dark picture"
    mask = _light_mask(light)
    if mask.mean() > WIDE:
        return "light over most of the picture"
    spots = find_spots(mask)
    if len(spots) > MOST:
        return f"light in {len(spots)} places"
    kinds = ["bright" if light[spot].max() >= BRIGHT else "pale" for spot in spots]
    places = [_place(spot) for spot in spots]
    if len(spots) == 1:
        return f"a {kinds[0]} spot at {places[0]} pixels"
    if len(set(kinds)) == 1:
        return f"{len(spots)} {kinds[0]} spots, at {' and '.join(places)} pixels"
    named = [f"{place} ({kind})" for place, kind in zip(places, kinds, strict=True)]
    return f"{len(spots)} spots, at {' and '.join(named)} pixels"


def _light_mask(light: np.ndarray) -> np.ndarray:
    """Which pixels belong to a spot, of their light [H, W].

    A pale spot beside a bright one is measured by its own light, as long as it is dark between
    them.
    """
    mask = np.zeros(light.shape, bool)
    for region in find_spots(light >= DARK):
        mask |= region & (light >= LIGHT_SHARE * light[region].max())
    return mask


def find_spots(mask: np.ndarray) -> list[np.ndarray]:
    """The connected parts of a mask, the largest first.

    Args:
        mask: bool [H, W]; pixels that share an edge or a corner are connected.

    Returns:
        A mask [H, W] for each.
    """
    left, spots = mask.copy(), []
    while left.any():
        seed = np.zeros_like(left)
        seed.flat[left.argmax()] = True
        spot = _fill(seed, left)
        spots.append(spot)
        left &= ~spot
    return sorted(spots, key=np.count_nonzero, reverse=True)


def _fill(spot: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """All of the mask that is connected with a part of it."""
    while True:
        wider = _widen(_widen(spot).T).T & mask
        if np.array_equal(wider, spot):
            return spot
        spot = wider


def _widen(mask: np.ndarray) -> np.ndarray:
    """A mask with the neighbours above and below."""
    wider = mask.copy()
    wider[1:] |= mask[:-1]
    wider[:-1] |= mask[1:]
    return wider


def _place(spot: np.ndarray) -> str:
    """The spot's middle; where that is empty, as in a ring, the spot's pixel next to it."""
    y, x = np.nonzero(spot)
    distances = np.hypot(x - x.mean(), y - y.mean())
    middle = x.mean(), y.mean()
    if not spot[round(middle[1]), round(middle[0])]:
        nearest = distances.argmin()
        middle = x[nearest], y[nearest]
    return f"x {middle[0] + 0.5:.0f}, y {middle[1] + 0.5:.0f}"
