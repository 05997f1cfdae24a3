"""Migrations, in two steps each: add now, remove a release later, so that old and new code run side by side.

On PostgreSQL a migration that waits for a lock for long is broken off and begun again (`busy_tables.py`): one that
has more than one transaction goes on where it has ended.
"""
