"""Everything that has Meta's shape: webhook signatures, webhook envelopes and the events in them. Pure."""
