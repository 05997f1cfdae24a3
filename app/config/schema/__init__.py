"""What a config can contain: every key with its type, default and meaning, and the types of values."""
