"""The manners that every HTTP room shares: guards, raw bodies, one error shape, request ids, OpenAPI.

Knows nothing of what the rooms are about, and never answers for them.
"""
