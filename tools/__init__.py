"""What makes committed files: notebooks, benchmarks, latency."""
