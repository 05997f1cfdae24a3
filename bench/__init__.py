"""Benchmarks that anyone can run. They print ratios measured side by side in one run; nothing asserts a time."""
