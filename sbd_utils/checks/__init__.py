"""What an assignment's visible check says to a student; imports nothing else of the library.

A check calls the student's function on cases whose answer is known by hand. It prints a line if all
is well, and else raises `NotYet` with a sentence. Hidden tests try more than it does.
"""

from sbd_utils.checks.does_it_hold import paired_summary, rows, sign_test
from sbd_utils.checks.kit import (
    NotYet,
    as_array,
    close,
    expect,
    is_number,
    is_tensor,
    passed,
    same,
    short,
    without,
)
from sbd_utils.checks.pictures_from_factors import (
    center_of_mass,
    circle,
    coordinates,
    fake_instruments,
    same_picture,
    spectrum,
    worst_error,
)
from sbd_utils.checks.the_broadcast import (
    broadcast,
    kl,
    multiply_adds,
    receptive_field,
    sample,
    square_by_hand,
    square_seen,
)
from sbd_utils.checks.which_latents_matter import (
    affine_fit,
    alignment,
    average_variance,
    informative_pair,
    predictions,
    three_scores,
)

__all__ = [
    "NotYet",
    "affine_fit",
    "alignment",
    "as_array",
    "average_variance",
    "broadcast",
    "center_of_mass",
    "circle",
    "close",
    "coordinates",
    "expect",
    "fake_instruments",
    "informative_pair",
    "is_number",
    "is_tensor",
    "kl",
    "multiply_adds",
    "paired_summary",
    "passed",
    "predictions",
    "receptive_field",
    "rows",
    "same",
    "same_picture",
    "sample",
    "short",
    "sign_test",
    "spectrum",
    "square_by_hand",
    "square_seen",
    "three_scores",
    "without",
    "worst_error",
]
