"""The checks of the exercises of notebook 00: what changes in an image, and how little it takes."""

import math
from typing import Any

from sbd_utils.checks.kit import Mistakes, expect, is_number, solved, unwritten


def turned_ellipse(pixels: Any) -> None:
    """Check how many pixels change when an ellipse of the course is turned by 50 degrees."""
    _count(
        pixels,
        right=0,
        what="the number of pixels that change",
        mistakes={},
        hint="`sprite_image('ellipse', angle=50)` draws the one, `changed_pixels` compares.",
    )


def diagonal_step(pixels: Any) -> None:
    """Check how many pixels change when a square of 16 x 16 moves by one pixel along x and y."""
    side = 16
    stays = (side - 1) ** 2
    _count(
        pixels,
        right=2 * (side**2 - stays),
        what="the number of pixels that change",
        mistakes={
            "the corners, where a row meets a column, are counted twice.": 4 * side,
            "that is a step along x alone.": 2 * side,
            "what becomes black changes, too, not only what becomes white.": side**2 - stays,
        },
        hint="count those of the old square that go black and those of the new one that go white.",
    )


def bits_for_a_place(bits: Any) -> None:
    """Check the bits that tell a circle's place to a tenth of a pixel, x and y from 8 to 56."""
    if unwritten(bits):
        return
    number = is_number(bits, "the number of bits")
    places = 480  # along one side
    right = 2 * math.log2(places)
    mistakes = {
        "that is for x alone, or for y.": right / 2,
        "these are nats (a natural logarithm); a bit halves the possibilities: log2.": (
            2 * math.log(places)
        ),
        "that is to a whole pixel: ten times fewer places along each side.": 2 * math.log2(48),
        "the centres lie between 8 and 56, not between 0 and 64.": 2 * math.log2(640),
        "that is the number of places; n bits tell 2^n of them apart.": places**2,
    }
    for sentence, wrong in mistakes.items():
        expect(not math.isclose(number, wrong, rel_tol=5e-3), sentence)
    # 481 marks make 480 steps, and whole bits are 18: both are right.
    fits = 17.75 <= number <= 18
    hint = "how many squares of a tenth of a pixel are there, and how often can they be halved?"
    expect(fits, f"{number:g} bits: {hint}")
    solved("the number of bits")


def _count(pixels: Any, right: int, what: str, mistakes: Mistakes, hint: str) -> None:
    """Expect a number without telling the right one."""
    if unwritten(pixels):
        return
    number = is_number(pixels, what)
    for sentence, wrong in mistakes.items():
        expect(number != wrong, f"{number:g}: {sentence}")
    expect(number == right, f"{number:g} is not it: {hint}")
    solved(what)
