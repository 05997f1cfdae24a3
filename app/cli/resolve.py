"""`messages resolve`: decide about one unknown message, or about a selection of unknown or queued messages."""

from collections.abc import Iterator
from typing import Any

import click

from app.cli.bulk import post_in_steps
from app.cli.client import Client
from app.cli.confirm import confirm, yes_option
from app.cli.message import path_of, print_message
from app.cli.options import as_json_option, client_options
from app.cli.progress import Step, count_of, report_progress
from app.cli.tables import print_json
from app.cli.times import since_option, until_option
from app.config import ApiAccess

UNKNOWN_DECISIONS, QUEUED_DECISIONS = ("failed", "resend"), ("cancelled", "unknown")
SELECTION_OPTIONS = ("contact", "phoneNumberId", "since", "until")


@click.command("resolve")
@client_options
@click.argument("message_id", required=False)
@click.option(
    "--as",
    "decision",
    type=click.Choice([*UNKNOWN_DECISIONS, *QUEUED_DECISIONS]),
    required=True,
    help="The decision: failed or resend for unknown messages, cancelled or unknown for queued messages.",
)
@click.option("--all-unknown", is_flag=True, help="Decide about all unknown messages that the options below choose.")
@click.option("--all-queued", is_flag=True, help="Decide about all queued messages that the options below choose.")
@click.option("--contact", help="Only messages to this customer: a phone number or a user id.")
@click.option("--number", "phoneNumberId", help="Only messages of this phone number id of yours.")
@since_option("Only messages accepted")
@until_option("Only messages accepted")
@click.option("--force", is_flag=True, help="Resend messages that are so young that their status may still come.")
@click.option("--dry-run", "is_trial", is_flag=True, help="Only count the messages; change nothing.")
@yes_option
@as_json_option
def resolve_messages(access: ApiAccess, message_id: str | None, as_json: bool, **options: Any) -> None:
    """Decide about messages: give the ID of an unknown one, or --all-unknown, or --all-queued.

    An unknown message may have reached its customer. So may a queued message of a restored backup.
    """
    _check(message_id, options)
    client = Client(access)
    body = {"as": options["decision"], "force": options["force"]}
    if message_id is not None:
        print_message(client.post(f"{path_of(message_id)}/resolve", body), as_json=as_json)
        return
    body |= {name: options[name] for name in SELECTION_OPTIONS if options[name] is not None}
    trial = _total(client, {**body, "dryRun": True})
    if not options["is_trial"] and trial["matched"]:
        confirm(
            f"{count_of(trial['matched'], 'message')} will be {_done(options['decision'])}; go on?",
            yes=options["yes"],
        )
    total = trial if options["is_trial"] else _total(client, body)
    _report(total, options["decision"], is_trial=options["is_trial"], as_json=as_json)


def _check(message_id: str | None, options: dict[str, Any]) -> None:
    """Raise `UsageError` unless the messages are chosen in exactly one way, and that way fits the decision."""
    if [message_id is not None, options["all_unknown"], options["all_queued"]].count(True) != 1:
        raise click.UsageError("Give the ID of a message, --all-unknown or --all-queued.")
    fitting = QUEUED_DECISIONS if options["all_queued"] else UNKNOWN_DECISIONS
    if options["decision"] not in fitting:
        about = "Queued" if options["all_queued"] else "Unknown"
        raise click.UsageError(f"{about} messages are resolved as {' or '.join(fitting)}.")
    if message_id is not None and (
        options["is_trial"] or any(options[name] is not None for name in SELECTION_OPTIONS)
    ):
        raise click.UsageError("The options that choose messages go with --all-unknown or --all-queued.")


def _total(client: Client, body: dict[str, Any]) -> dict[str, int]:
    """Post all steps; return the sums of their counts."""
    total = dict.fromkeys(("matched", "changed", "young"), 0)

    def steps() -> Iterator[Step]:
        for answer in post_in_steps(client, "/messages/resolve", body):
            for name in total:
                total[name] += answer[name]
            yield Step(answer["changed"], answer["matched"], 0, more=answer["nextCursor"] is not None)

    report_progress("counting" if body.get("dryRun") else "deciding", steps())
    return total


def _report(total: dict[str, int], decision: str, *, is_trial: bool, as_json: bool) -> None:
    if as_json:
        print_json(total)
        return
    if is_trial:
        click.echo(f"{count_of(total['matched'], 'message')} would be {_done(decision)}; nothing was changed")
    else:
        click.echo(f"done: {count_of(total['changed'], 'message')} {_done(decision)}")
    if total["young"]:
        young = count_of(total["young"], "message")
        click.echo(f"left out {young} too young: the status may still come; wait, or add --force", err=True)


def _done(decision: str) -> str:
    return {"resend": "sent again", "unknown": "marked unknown", "failed": "marked failed"}.get(decision, decision)
