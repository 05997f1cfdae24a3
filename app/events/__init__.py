"""Events for whoever pulls them, and forgetting them: in time, or with the customer they are about."""
