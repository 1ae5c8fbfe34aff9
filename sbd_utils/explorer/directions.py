"""What in a slot's code says place and hue, and how a code is moved along it."""

from typing import Any, NamedTuple

import numpy as np
import torch

from sbd_utils.data import SceneStream
from sbd_utils.scene_scoring import codes_of_objects, take_apart

FITTED = 500
"""Scenes whose objects directions are fitted to …"""
FITTED_BATCH = 1_000_000
"""… and their batch of the stream: no scene that is shown is of it."""
READ = 4
"""Numbers that are read off a code: x and y in pixels, cosine and sine of the hue."""


class Directions(NamedTuple):
    """An affine map from codes to x, y and hue, and directions that change what one of them says.

    The map is the least-squares fit. Of all directions that raise one reading by 1 and leave the
    other three, each is the one along which codes vary together with that reading, cov(codes) W
    (Wᵀ cov(codes) W)⁻¹ (Haufe et al. 2014, equation 6): across them a code would leave what the
    decoder has seen.

    How far that is right stands in tests/explorer/test_scene.py, of `slots_scenes` and objects of
    scenes that were not fitted, to random places and hues: half of the drawn centres of mass are
    within 0.4 pixels of where they were asked to be, nine in ten within 1.3; half of the hues
    within 4 degrees, nine in ten within 8.
    """

    weights: np.ndarray
    """[z_dim, 4]."""
    offset: np.ndarray
    """[4]."""
    moves: np.ndarray
    """[4, z_dim]: `moves @ weights` is the identity."""

    def read(self, code: np.ndarray) -> np.ndarray:
        """x, y, cosine and sine, [..., 4], of codes [..., z_dim]."""
        return code @ self.weights + self.offset

    def to_place(self, code: np.ndarray, x: float, y: float) -> np.ndarray:
        """The code [z_dim] moved so that it says this place, in pixels, and the same hue."""
        return code + (np.array([x, y]) - self.read(code)[:2]) @ self.moves[:2]

    def to_hue(self, code: np.ndarray, degrees: float) -> np.ndarray:
        """The code [z_dim] moved so that it says this hue, and the same place."""
        angle = np.deg2rad(degrees)
        wanted = np.array([np.cos(angle), np.sin(angle)])
        return code + (wanted - self.read(code)[2:]) @ self.moves[2:]


def fit_directions(codes: np.ndarray, places: np.ndarray, hues: np.ndarray) -> Directions:
    """Fit the map to objects.

    Args:
        codes: [M, z_dim].
        places: x and y in pixels, [M, 2].
        hues: Degrees [M].

    Raises:
        ValueError: There are too few objects to fit, or too few latents to hold what is read.
    """
    count, z_dim = codes.shape
    if z_dim < READ:
        raise ValueError(f"codes has {z_dim} latents; place and hue need {READ} or more")
    if count < 2 * (z_dim + 1):
        raise ValueError(f"codes has {count} objects; a fit needs {2 * (z_dim + 1)} or more")
    angles = np.deg2rad(hues)
    said = np.column_stack([places, np.cos(angles), np.sin(angles)])  # [M, 4]
    solution = np.linalg.lstsq(np.column_stack([codes, np.ones(count)]), said, rcond=None)[0]
    weights, offset = solution[:-1], solution[-1]
    varying = np.cov(codes.T) @ weights  # [z_dim, 4]
    return Directions(weights, offset, np.linalg.pinv(weights.T @ varying) @ varying.T)


def learn_directions(model: Any, stream: SceneStream) -> Directions:
    """Fit the map to the objects that a model's slots hold in scenes of a stream.

    Args:
        model: A model of scenes in eval mode.
        stream: Of the model's image size.

    Raises:
        ValueError: The slots hold too few objects.
    """
    scenes = stream.batch(FITTED_BATCH, FITTED)
    codes, factors = codes_of_objects(take_apart(model, scenes.images), scenes)
    names = [factor.name for factor in stream.factors]
    columns = torch.tensor([names.index(name) for name in ("x", "y", "hue")])
    values = factors[:, columns].double().numpy()
    return fit_directions(codes, values[:, :2], values[:, 2])
