"""Messages that clients send: every kind of Meta's, checked field by field before anything is stored. Pure.

`check_payload` in `check.py` is the entrance. A message is described by tables (`kinds.py`, then one file for each
family of kinds): a field is a key and a checker (`values.py`, `structure.py`), and `rules.py` has what must hold
between fields. Limits are those of Meta's pages; where they differ, the more lenient one, because Meta has the last
word. docs/messages.md is generated from the tables.
"""
