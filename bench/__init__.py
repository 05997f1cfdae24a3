"""Benchmarks. They print figures and ratios measured side by side in one run; no test asserts a duration."""
