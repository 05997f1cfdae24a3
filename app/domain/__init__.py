"""Words and rules of the gateway: pure values and functions. No I/O, no framework, nothing else of ours."""

VERSION = "0.1.0"
