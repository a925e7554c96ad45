"""Speed, as ratios against a named peer on the same work in one run: ``python -m benchmarks``."""
