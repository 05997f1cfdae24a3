"""Connections, transactions and group commit on SQLite and PostgreSQL; nothing here knows a table."""
