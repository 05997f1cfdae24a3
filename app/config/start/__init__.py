"""How this start is meant: environment variables and command-line options, weighed into one request."""
