"""What `init` writes: a config file and an example of the environment it needs."""
