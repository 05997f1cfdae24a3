"""Messages to customers: accepted from the application, then sent to Meta, each of them once at most."""
