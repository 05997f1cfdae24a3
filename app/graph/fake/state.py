"""The state of the fake, behind a small interface: in memory for tests, in the store for dry-run."""

import threading
from collections.abc import Callable
from typing import Any, Protocol


class State(Protocol):
    """Values by kind and key. A value is JSON, or bytes."""

    def get(self, kind: str, key: str) -> Any:
        """Return a value; None if there is none."""
        ...

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep a value, in the place of the one before."""
        ...

    def delete(self, kind: str, key: str) -> bool:
        """Forget a value; return whether there was one."""
        ...

    def items(self, kind: str) -> list[tuple[str, Any]]:
        """Return the values of a kind with their keys, oldest first."""
        ...

    def update(self, kind: str, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace a value by what `change` makes of it (of None if there is none), atomically; return the new one."""
        ...


class MemoryState:
    """State of one process, for any number of its threads."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Any]] = {}
        self._lock = threading.RLock()

    def get(self, kind: str, key: str) -> Any:
        """Return a value; None if there is none."""
        with self._lock:
            return self._kinds.get(kind, {}).get(key)

    def put(self, kind: str, key: str, value: Any) -> None:
        """Keep a value."""
        with self._lock:
            self._kinds.setdefault(kind, {})[key] = value

    def delete(self, kind: str, key: str) -> bool:
        """Forget a value; return whether there was one."""
        with self._lock:
            return self._kinds.get(kind, {}).pop(key, None) is not None

    def items(self, kind: str) -> list[tuple[str, Any]]:
        """Return the values of a kind with their keys, oldest first."""
        with self._lock:
            return list(self._kinds.get(kind, {}).items())

    def update(self, kind: str, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace a value by what `change` makes of it, atomically; return the new one."""
        with self._lock:
            value = self._kinds.setdefault(kind, {})[key] = change(self._kinds.get(kind, {}).get(key))
            return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kinds.clear()
