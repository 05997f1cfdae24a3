"""Generate docs/messages.md from the tables that check a message: every kind, every field, every limit."""

from collections.abc import Iterator

from app.domain.meta.payloads import direct_send, interactive, kinds, orders, products, template, template_values
from app.domain.meta.payloads.check import MAX_PROBLEMS
from app.domain.meta.payloads.envelope import ENVELOPE
from app.domain.meta.payloads.findings import quoted
from app.domain.meta.payloads.interactive_parts import ANY_HEADER
from app.domain.meta.payloads.scan import MAX_DEPTH, MAX_VALUES
from app.domain.meta.payloads.structure import ListOf, Object, OwnLimit
from app.domain.meta.payloads.template_buttons import BUTTON
from app.domain.meta.payloads.values import Checker
from app.domain.meta.payloads.variants import Variants

INTRODUCTION = f"""# Messages

Generated from the code by `make docs`.

A message is Meta's own message object. It is checked field by field before anything is stored, and what is stored is
what is sent: only `messaging_product` and `recipient_type` are added where they are missing, and a phone number in
`to` is written with `+` and digits only. One answer lists all mistakes, up to {MAX_PROBLEMS}, each with a JSON
pointer to its place, the limit, and what to write instead.

- A field that is not listed here is refused, with the listed one that is nearest to it.
- Lengths are Unicode code points. A text that needs a character must not be blank.
- A number may be written as a string, as in Meta's samples: `"52.52"`. `true` is no number.
- No text holds NUL or half of a surrogate pair; no body has more than {MAX_VALUES} values or {MAX_DEPTH} levels.
- Where Meta's pages differ, the limit here is the more lenient one: Meta has the last word. A limit with \\* is ours,
  because Meta publishes none.
- What only Meta knows is not checked: whether a template exists and how many variables it has, whether a media id or
  a product is alive.

A client that speaks to Meta's API through wats may be newer than wats: fields, kinds and words that wats does not
know are then left to Meta, a missing `type` means text, and `to` is sent as the client wrote it. Meta's limits hold,
and a `type` has at most 40 characters.
"""

PARTS: dict[str, Checker] = {
    "Header": ANY_HEADER,
    "Sections of products": products.PRODUCT_SECTIONS,
    "Order details": orders.ORDER_DETAILS,
    "Order status": orders.ORDER_STATUS,
    "Header of a template": template_values.HEADER,
    "Body of a template": template.BODY,
    "Button of a template": BUTTON,
    "Cards of a template": template.CARDS,
}
"""Parts that several tables have, or that would make one too long: each has a section, and a link from each place."""


def messages_page() -> str:
    """Return the whole page."""
    return "\n".join([INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    yield from _section("Every message", ENVELOPE)
    for kind, case in kinds.MESSAGES.cases.items():
        if kind == "interactive":
            yield from _kinds_of_interactive()
        else:
            yield from _section(kind, case)
    yield "## Parts\n"
    for title, part in PARTS.items():
        yield from _section(title, part, level=3)
    yield from _direct_send()
    yield from _marketing()


def _kinds_of_interactive() -> Iterator[str]:
    yield "## interactive\n"
    yield f"`interactive.type` is {quoted([*interactive.INTERACTIVE.cases])}. The fields are in `interactive`.\n"
    for kind, case in interactive.INTERACTIVE.cases.items():
        yield from _section(f"interactive {kind}", case, level=3)


def _direct_send() -> Iterator[str]:
    yield "## Direct Send\n"
    yield (
        "A text, or an interactive message of type `button` or `cta_url`, may have a `category`. With `utility` or\n"
        "`authentication` it may be sent outside of the customer service window, and these tables hold. With\n"
        "`service` it is a message as above.\n"
    )
    for category, table in (("utility", direct_send.UTILITY), ("authentication", direct_send.AUTHENTICATION)):
        yield from _section(f"category {category}", _beyond(table.common, ENVELOPE), level=3)
    for kind, case in direct_send.KINDS.items():
        yield from _section(f"{kind} with a category", case, level=3)


def _marketing() -> Iterator[str]:
    yield "## marketing_messages\n"
    yield "Templates for Meta's endpoint `marketing_messages` have these fields beside those of every message.\n"
    yield from _table(_beyond(kinds.MARKETING_MESSAGES.common, ENVELOPE))


def _beyond(table: Object, common: Object) -> Object:
    """Return what a table has that another one has not."""
    return Object(
        required={key: checker for key, checker in table.required.items() if key not in common.required},
        optional={key: checker for key, checker in table.optional.items() if common.optional.get(key) is not checker},
        rules=tuple(rule for rule in table.rules if rule not in common.rules),
    )


def _section(title: str, checker: Checker, level: int = 2) -> Iterator[str]:
    yield f"{'#' * level} {title}\n"
    rules = checker.rules if isinstance(checker, Object) else ()
    yield from (f"- {rule.describe()}" for rule in rules)
    yield from [""] if rules else []
    yield from _table(checker)


def _table(checker: Checker) -> Iterator[str]:
    yield "| field | needed | accepts |"
    yield "| --- | --- | --- |"
    rows = _fields("", checker) if isinstance(checker, Object) else _rows("", checker, "")
    for name, needed, accepts in rows:
        yield f"| {f'`{name}`' if name else 'all'} | {needed} | {accepts} |"
    yield ""


Row = tuple[str, str, str]


def _rows(name: str, checker: Checker, needed: str) -> Iterator[Row]:
    """Yield the rows of a checker: its own, and those of the fields in it."""
    title = next((title for title, part in PARTS.items() if part is checker), None)
    if title and name:
        yield name, needed, f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    elif isinstance(checker, OwnLimit):
        for place, need, accepts in _rows(name, checker.checker, needed):
            yield place, need, f"{accepts} \\*" if place == name else accepts
    elif isinstance(checker, Object):
        yield from _rows_of_object(name, checker, needed)
    elif isinstance(checker, ListOf):
        yield name, needed, _with_rules(checker.describe(), checker)
        yield from _rows(f"{name}[]", checker.item, "yes") if checker.max else ()
    elif isinstance(checker, Variants):
        yield from _rows_of_variants(name, checker, needed)
    else:
        yield name, needed, checker.describe()


def _rows_of_object(name: str, table: Object, needed: str) -> Iterator[Row]:
    """Yield the fields, after a row for the object unless that would say nothing."""
    others = f"; any other field: {table.others.describe()}" if table.others else ""
    if table.rules or others or not table.keys or needed != "yes":
        yield name, needed, _with_rules(f"an object{others}", table)
    yield from _fields(name, table)


def _fields(name: str, table: Object) -> Iterator[Row]:
    for fields, needed in ((table.required, "yes"), (table.optional, "")):
        for key, member in fields.items():
            yield from _rows(_joined(name, key), member, needed)


def _rows_of_variants(name: str, variants: Variants, needed: str) -> Iterator[Row]:
    if name and needed != "yes":
        yield name, needed, variants.describe()
    words = quoted([*variants.cases]) + (", in any case" if variants.any_case else "")
    yield _joined(name, variants.tag), "" if variants.default else "yes", words
    yield from _fields(name, variants.common)
    for (path, needed, accepts), cases in _cases_by_row(name, variants).items():
        word = "in" if "with" in needed else "with"
        where = f" {word} {quoted(cases)}" if len(variants.cases) > 1 else ""
        yield path, f"{needed}{where}".strip(), accepts


def _cases_by_row(name: str, variants: Variants) -> dict[Row, list[str]]:
    """Return the rows of all cases, each with the cases that have it."""
    found: dict[Row, list[str]] = {}
    for word, case in variants.cases.items():
        for row in _rows(name, case, "yes"):
            found.setdefault(row, []).append(word)
    return found


def _with_rules(text: str, checker: Object | ListOf) -> str:
    return "; ".join([text, *(rule.describe() for rule in checker.rules)])


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
