"""Scores from codes and factors: arrays in, numbers out."""

from sbd_utils.metrics.geometry import Geometry, alignment, fit_geometry, latent_direction
from sbd_utils.metrics.intervals import Interval, exact_interval
from sbd_utils.metrics.probes import Probe, held_out_r2, linear_probe, neighbor_r2

__all__ = [
    "Geometry",
    "Interval",
    "Probe",
    "alignment",
    "exact_interval",
    "fit_geometry",
    "held_out_r2",
    "latent_direction",
    "linear_probe",
    "neighbor_r2",
]
