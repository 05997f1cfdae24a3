"""Messages from the application to customers: check, accept, send and list them, and let operators decide."""
