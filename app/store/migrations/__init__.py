"""Migrations, in two steps each: add now, remove a release later, so that old and new code run side by side."""
