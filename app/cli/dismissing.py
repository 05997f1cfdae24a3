"""`deliveries discard` and `receipts dismiss`: take what an operator has looked at out of the alerts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import click

from app.cli.bulk import post_each, post_in_steps
from app.cli.client import Client
from app.cli.confirm import confirm, yes_option
from app.cli.options import as_json_option, client_options
from app.cli.progress import Step, count_of, report_progress
from app.cli.tables import print_json
from app.cli.times import since_option, until_option
from app.config import ApiAccess


@dataclass(frozen=True)
class Dismissal:
    """What is dismissed: the list of the API that holds it, the verb, its past, and one of the things."""

    path: str
    verb: str
    done: str
    noun: str

    def run(
        self, client: Client, ids: tuple[str, ...], options: dict[str, Any], *, everything: bool, as_json: bool
    ) -> None:
        """Dismiss by ids, or count what the options choose, ask, and dismiss that."""
        dry_run, yes = options.pop("dry_run"), options.pop("yes")
        selection = {name: value for name, value in options.items() if value is not None}
        if bool(ids) == (everything or bool(selection)):
            raise click.UsageError("Give either IDs, or --all, or options that select.")
        if dry_run:
            count = len(ids) or self._count(client, selection)
            self._report(count, f"would be {self.done}", "matching", as_json=as_json)
            return
        if not ids:
            confirm(f"{self.verb.capitalize()} {count_of(self._count(client, selection), self.noun)}?", yes=yes)
        steps = post_each(client, [self._path_of(each) for each in ids]) if ids else self._steps(client, selection)
        count = report_progress(f"{self.verb}ing", steps)
        self._report(count, self.done, self.done, as_json=as_json)

    def _count(self, client: Client, selection: dict[str, Any]) -> int:
        return report_progress("counting", self._steps(client, {**selection, "dryRun": True}))

    def _path_of(self, id_: str) -> str:
        return f"{self.path}/{quote(id_, safe='')}/{self.verb}"

    def _steps(self, client: Client, selection: dict[str, Any]) -> Iterator[Step]:
        for answer in post_in_steps(client, f"{self.path}/{self.verb}", selection):
            count = answer[self.done]
            yield Step(count, count, answer.get("left", 0), more=answer["nextCursor"] is not None)

    def _report(self, count: int, what: str, key: str, *, as_json: bool) -> None:
        if as_json:
            print_json({key: count})
        else:
            begin = "" if key == "matching" else "done: "
            click.echo(f"{begin}{count_of(count, self.noun)} {what}")


DISCARD = Dismissal("/deliveries", "discard", "discarded", "dead letter")
DISMISS = Dismissal("/receipts", "dismiss", "dismissed", "unreadable receipt")


@click.command("discard")
@client_options
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@click.option("--destination", help="Dead letters of this destination.")
@click.option("--types", help="Events of these types, separated by commas; * matches anything.")
@since_option("Events received")
@until_option("Events received")
@click.option("--dry-run", is_flag=True, help="Only count what would be discarded.")
@yes_option
@as_json_option
def discard_command(
    access: ApiAccess, ids: tuple[str, ...], everything: bool, as_json: bool, types: str | None, **options: Any
) -> None:
    """Dismiss dead letters: those with these IDs, or all that the options choose. They raise no alert any more.

    They stay listed as discarded until they are pruned, and can still be replayed. What the options choose is counted
    first, and the command asks before it discards; without a terminal it needs --yes.
    """
    globs = None if types is None else [one.strip() for one in types.split(",")]
    DISCARD.run(Client(access), ids, {**options, "types": globs}, everything=everything, as_json=as_json)


@click.command("dismiss")
@client_options
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All unreadable receipts.")
@since_option("Received")
@until_option("Received")
@click.option("--dry-run", is_flag=True, help="Only count what would be dismissed.")
@yes_option
@as_json_option
def dismiss_command(access: ApiAccess, ids: tuple[str, ...], everything: bool, as_json: bool, **options: Any) -> None:
    """Dismiss unreadable receipts: those with these IDs, or all that the options choose.

    They raise no alert any more, stay listed as dismissed until they are pruned, and can still be reprocessed. What
    the options choose is counted first, and the command asks before it dismisses; without a terminal it needs --yes.
    """
    DISMISS.run(Client(access), ids, options, everything=everything, as_json=as_json)
