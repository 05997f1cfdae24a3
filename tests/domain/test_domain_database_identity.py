"""Which database a gateway may use, by what the database says of itself."""

from dataclasses import replace

import pytest

from app.domain.database_identity import Identity, Owner, refusal, refusal_foreign, refusal_unmarked

LIVE = Owner("live", "100", ("100", "101"), "prod", claims=True)
DRY_RUN = Owner("dry-run", "100", None, "prod", claims=True)
IDENTITY = Identity("0123456789abcdef", "live", "100", "prod", has_bare_cursors=False)


def code_of(identity: Identity, owner: Owner) -> str | None:
    refused = refusal(identity, owner)
    return None if refused is None else refused.code


@pytest.mark.parametrize(
    ("identity", "owner", "code"),
    [
        (IDENTITY, LIVE, None),
        (replace(IDENTITY, account="101"), LIVE, None),
        (replace(IDENTITY, account="200"), LIVE, "other_account"),
        (replace(IDENTITY, account="200"), replace(LIVE, adopts=True), None),
        (replace(IDENTITY, mode="dry-run"), LIVE, "dry_run_database"),
        (replace(IDENTITY, mode="dry-run"), replace(LIVE, adopts=True), "dry_run_database"),
        (IDENTITY, DRY_RUN, "live_database"),
        (IDENTITY, replace(DRY_RUN, adopts=True), "live_database"),
        (replace(IDENTITY, mode="dry-run", account="200"), DRY_RUN, None),
        (replace(IDENTITY, mode=None, account=None), LIVE, None),
    ],
)
def test_a_database_is_used_in_its_own_mode_and_by_its_own_account(
    identity: Identity, owner: Owner, code: str | None
) -> None:
    assert code_of(identity, owner) == code


@pytest.mark.parametrize(
    ("owner", "accounts", "code"),
    [
        (LIVE, set(), None),
        (LIVE, {"100", "200"}, None),
        (LIVE, {"200"}, "other_account"),
        (replace(LIVE, adopts=True), {"200"}, None),
        (replace(LIVE, claims=False), {"100"}, "unmarked_database"),
        (DRY_RUN, {"200"}, None),
        (replace(DRY_RUN, claims=False), {"100"}, "unmarked_database"),
        (replace(DRY_RUN, claims=False, adopts=True), {"100"}, None),
    ],
)
def test_a_database_that_does_not_say_whose_it_is_goes_to_no_one_by_a_guess(
    owner: Owner, accounts: set[str], code: str | None
) -> None:
    refused = refusal_unmarked(owner, accounts)

    assert (None if refused is None else refused.code) == code


def test_the_reason_that_strangers_may_read_names_no_account() -> None:
    refused = refusal(replace(IDENTITY, account="200"), LIVE)

    assert refused is not None
    assert "200" not in refused.reason
    assert "200" in refused.cure


def test_a_table_with_a_name_of_ours_in_a_database_without_a_schema_is_refused_by_name() -> None:
    refused = refusal_foreign({"jobs", "events"})

    assert refused is not None
    assert (refused.code, "it has events, jobs, and no schema" in refused.cure) == ("foreign_database", True)
    assert refusal_foreign(set()) is None
