"""Messages from the application to customers: checked, accepted, sent, listed, and decided about by people."""
