"""Measurements, not tests: `python -m tools.benchmarks`."""
