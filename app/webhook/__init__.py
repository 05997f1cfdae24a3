"""The webhook door: what Meta sends is verified, on disk, and only then answered. Parsing is the worker's."""
