"""The supervisor: a small process of its own, which lives as long as the gateway and imports no installed package."""
