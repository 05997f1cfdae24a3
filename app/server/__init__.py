"""Code on gunicorn's internals: the worker class, its connections, the accept balance and the access log."""
