"""The destinations: whom events are pushed to, over HTTP. Not trusted: every wait and every answer is bounded."""
