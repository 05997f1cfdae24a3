"""The destinations: whom events are pushed to, over HTTP. Not trusted: every wait and every answer is bounded."""

from app.destinations.client import Destinations, Target
from app.destinations.dialer import MayReach

__all__ = ["Destinations", "MayReach", "Target"]
