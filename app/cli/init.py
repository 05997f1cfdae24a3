"""`init`: write the first files of a new folder."""

from pathlib import Path

import click

from app.cli import CommandFailed
from app.cli.scaffold.new_files import existing_files, write_new_files
from app.cli.scaffold.template import new_files
from app.config.file.profile import is_profile_name


def _profile_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    if not is_profile_name(name):
        raise click.BadParameter("1 to 64 letters, digits, - and _ are needed")
    return name


@click.command("init")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=".")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option("--profile", default="local", show_default=True, callback=_profile_name, help="The profile's name.")
def init_command(folder: Path, dry_run: bool, profile: str) -> None:
    """Write wats.config.yaml and .env.example into DIR, which is made if it is missing. Existing files are kept."""
    files = new_files(profile)
    if existing := existing_files(folder, files):
        raise CommandFailed(f"nothing written; existing files: {', '.join(map(str, existing))}")
    if dry_run:
        click.echo("\n".join(f"# would write {folder / name}\n{text}" for name, text in files.items()), nl=False)
        return
    try:
        write_new_files(folder, files)
    except OSError as error:
        raise CommandFailed(f"nothing written: {folder}: {error.strerror}") from error
    for name in files:
        click.echo(str(folder / name))
    click.echo(f"next: flask wats serve --dry-run --config {folder / next(iter(files))}", err=True)
