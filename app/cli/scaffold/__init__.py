"""Writes the files of `init`."""
