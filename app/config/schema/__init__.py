"""What a config may say: every key with its type, default and meaning, and the values those types read."""
