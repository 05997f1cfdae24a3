"""Everything that has Meta's shape: signatures, webhook envelopes, and how their items become events. Pure."""
