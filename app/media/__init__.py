"""Media: files up to Meta and down from it, passed on as they come, and kept when they arrive if that is wanted."""
