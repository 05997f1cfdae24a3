"""The start of a process: flags and environment variables, evaluated into one request."""
