"""Words that a column of the database holds, and that only some versions of the code know.

Old and new code run side by side during an upgrade, and old code runs again after a roll-back.
"""

from enum import StrEnum
from typing import Self


class StoredWord(StrEnum):
    """A set of such words. One of newer code is read as it is, is written back unchanged, and is none of ours."""

    @property
    def is_known(self) -> bool:
        """Whether this code knows the word."""
        return self.name in type(self).__members__

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        newer = str.__new__(cls, value)
        newer._name_, newer._value_ = f"newer {value}", value
        return newer
