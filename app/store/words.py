"""Words about what went wrong, which may quote what others sent, as both databases take them."""

MOST_WORDS = 200


def few_words(text: str) -> str:
    """The text as one short line: PostgreSQL takes neither NUL nor half a surrogate pair."""
    return "".join(each if each.isprintable() else "?" for each in text[:MOST_WORDS])
