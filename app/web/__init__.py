"""The parts that all HTTP packages share: middleware, guards, raw bodies, errors, JSON, paging, OpenAPI.

It knows nothing about receipts, events or deliveries, and serves no route but the documentation.
"""
