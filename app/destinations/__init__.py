"""The destinations that events are pushed to, over HTTP. They are not trusted: every wait and response is bounded."""

from app.destinations.client import Destinations, Target
from app.destinations.dialer import MayReach

__all__ = ["Destinations", "MayReach", "Target"]
