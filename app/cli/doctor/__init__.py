"""`doctor`: what keeps the gateway from working, on this machine and at Meta, each with what to do about it."""
