"""`python -m app.cli`: the same commands without the `flask` command."""

from app.cli import wats

if __name__ == "__main__":
    wats(prog_name="flask wats")
