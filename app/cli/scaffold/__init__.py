"""What `init` writes, and how."""
