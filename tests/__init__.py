"""The tests; they mirror sbd_utils and grading."""

PATIENCE = 600
"""Seconds after which something counts as hung, on a slow and busy machine, too."""
