"""The schema of the config: every key with its type, default and meaning, and the types of values."""
