"""How a process is meant to start: flags and environment variables, evaluated into one request."""
