"""The terms and rules of the gateway as pure values and functions: no I/O, no framework, no other package of ours."""

VERSION = "0.1.0"
