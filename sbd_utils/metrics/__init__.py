"""Scores from codes and factors: arrays in, numbers out."""

from sbd_utils.metrics.geometry import Geometry, alignment, fit_geometry, latent_direction
from sbd_utils.metrics.intervals import Interval, exact_interval
from sbd_utils.metrics.probes import Probe, held_out_r2, linear_probe, neighbor_r2
from sbd_utils.metrics.segmentation import (
    SegmentationScores,
    adjusted_rand_index,
    block_ceiling,
    block_means,
    kmeans_masks,
    random_masks,
    score_segmentation,
    voronoi_masks,
)

__all__ = [
    "Geometry",
    "Interval",
    "Probe",
    "SegmentationScores",
    "adjusted_rand_index",
    "alignment",
    "block_ceiling",
    "block_means",
    "exact_interval",
    "fit_geometry",
    "held_out_r2",
    "kmeans_masks",
    "latent_direction",
    "linear_probe",
    "neighbor_r2",
    "random_masks",
    "score_segmentation",
    "voronoi_masks",
]
