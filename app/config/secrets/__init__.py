"""Where secrets come from: the environment, an env file, `NAME_FILE`, or a dry-run's placeholders."""
