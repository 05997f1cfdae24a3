"""What touches gunicorn's insides: the worker class, its connections, the accept balance and the access log."""
