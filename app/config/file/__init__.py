"""From the bytes of a config file to a profile: YAML or JSON, read strictly, all errors collected."""
