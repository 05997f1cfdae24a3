"""JSON without spaces, as ASCII: escapes keep every character, half of a surrogate pair too."""

import json

compact_json = json.JSONEncoder(separators=(",", ":")).encode
"""Return this as JSON. `json.dumps` would make an encoder for each call."""
