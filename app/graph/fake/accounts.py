"""The accounts, numbers, tokens and secrets that exist on the fake's side."""

from dataclasses import dataclass, field

from app.domain.constant_time import constant_time_index


@dataclass(frozen=True)
class Number:
    """A business phone number. `display`: as webhooks print it, digits only."""

    id: str
    waba: str
    display: str = "15550783881"


@dataclass(frozen=True)
class Accounts:
    """The accounts of the fake. `tokens` None: each token is good that does not begin with `expired` or `invalid`."""

    numbers: tuple[Number, ...]
    app_id: str = "100200300400500"
    app_secret: str = "dry-run-app-secret"  # noqa: S105 - a placeholder that is printed
    previous_app_secret: str = "a-secret-of-before"  # noqa: S105
    tokens: frozenset[str] | None = None
    version: str = "v25.0"
    callback_url: str | None = None
    _by_id: dict[str, Number] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id.update({number.id: number for number in self.numbers})

    @property
    def app_token(self) -> str:
        """The token of the app itself."""
        return f"{self.app_id}|{self.app_secret}"

    def number(self, number_id: str) -> Number | None:
        """Return a number by its id."""
        return self._by_id.get(number_id)

    def numbers_of(self, waba: str) -> list[Number]:
        """Return the numbers of an account; none if there is no such account."""
        return [number for number in self.numbers if number.waba == waba]

    def refusal_of(self, token: str | None) -> str | None:
        """Return the name of the refusal that a token meets; None if it is good."""
        if not token:
            return "no_token"
        if token.startswith("expired"):
            return "expired_token"
        return None if self._knows(token) else "invalid_token"

    def is_app_token(self, token: str) -> bool:
        """Return whether a token is that of the app itself."""
        return constant_time_index(token.encode(), [self.app_token.encode()]) is not None

    def _knows(self, token: str) -> bool:
        if token.count("|"):
            return self.is_app_token(token)
        if self.tokens is None:
            return not token.startswith("invalid")
        return constant_time_index(token.encode(), (known.encode() for known in self.tokens)) is not None
