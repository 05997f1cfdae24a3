"""The owner that these settings make: which databases they may open."""

from app.config.schema.databases import path_in
from app.config.secrets.dry_run import DEFAULT_FILE
from app.config.settings import Mode, Settings
from app.domain.database_identity import Owner


def owner_of(settings: Settings) -> Owner:
    """Return the owner that opens the database with these settings.

    A database without a recorded owner may be taken by live mode, unless it is the dry-run's own file, which is the
    only one that a dry-run may take.
    """
    is_live, whatsapp = settings.mode is Mode.LIVE, settings.whatsapp
    return Owner(
        mode=settings.mode.value,
        account=whatsapp.waba_id,
        accounts=whatsapp.waba_ids if is_live else None,
        profile=settings.profile,
        claims=_is_dry_runs_own_file(settings) is not is_live,
    )


def _is_dry_runs_own_file(settings: Settings) -> bool:
    """Return whether the database is the dry-run's file in the data folder, and no link to another file."""
    path = path_in(settings.storage.url)
    if path != settings.data_dir / DEFAULT_FILE or path.is_symlink():
        return False
    return not path.exists() or path.stat().st_nlink == 1
