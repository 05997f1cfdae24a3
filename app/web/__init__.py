"""What every HTTP package shares: guards, raw bodies, one error shape, request ids, OpenAPI.

Knows nothing of what the packages are about, and never answers for them.
"""
