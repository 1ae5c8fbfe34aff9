"""Scores from codes and factors: arrays in, numbers out."""

from sbd_utils.metrics.geometry import Geometry, alignment, fit_geometry
from sbd_utils.metrics.probes import Probe, held_out_r2, linear_probe

__all__ = ["Geometry", "Probe", "alignment", "fit_geometry", "held_out_r2", "linear_probe"]
