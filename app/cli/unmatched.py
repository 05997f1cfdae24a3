"""Finds types and numbers that a destination selects and that match nothing: it can never get them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.config import Destination, Settings
from app.config.file.profile import Profile
from app.config.schema.references import EnvRef


def unmatched_in(profile: Profile) -> Iterator[str]:
    """Return a sentence for each type and number of a profile's destinations that matches nothing, with its path."""
    whatsapp = profile.sections["whatsapp"]
    numbers = whatsapp["phoneNumberIds"] or [whatsapp["phoneNumberId"]]
    known = None if any(isinstance(number, EnvRef) for number in numbers) else numbers
    for index, destination in enumerate(profile.destinations):
        path = f"profiles.{profile.name}.destinations[{index}]"
        yield from _unmatched(path, destination["types"], destination["phoneNumberIds"], known)


def unmatched_of(destinations: Sequence[Destination], numbers: Sequence[str]) -> Iterator[str]:
    """Return the same for destinations whose references are resolved."""
    for destination in destinations:
        yield from _unmatched(
            f"destination {destination.name}", destination.types, destination.phone_number_ids, numbers
        )


def with_unmatched(settings: Settings) -> Settings:
    """Return the settings with a warning for each of these: `serve` starts with them, and no event comes."""
    found = unmatched_of(settings.destinations, settings.whatsapp.phone_number_ids)
    return replace(settings, warnings=(*settings.warnings, *found))


def _unmatched(
    path: str, types: Sequence[str], selected: Sequence[str], numbers: Sequence[str] | None
) -> Iterator[str]:
    from app.cli.sample_types import can_match  # here: without a destination `serve` needs none of it

    for pattern in types:
        if not can_match(pattern):
            yield (
                f"{path}.types: {pattern} matches no type of event that is known;"
                " `flask wats webhook send --list` prints them"
            )
    for number in selected:
        if numbers is not None and number not in numbers:
            yield f"{path}.phoneNumberIds: {number} is no number of the profile, and matches no event"
