"""What makes committed files: notebooks, pictures, benchmarks, latency."""
