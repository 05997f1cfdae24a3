"""Meta's webhooks: verify the signature, store the bytes durably, then answer 200. The worker parses them later."""
