"""`python -m app.cli`: the same commands without the `flask` command around them, for our own processes."""

from app.cli import wats

if __name__ == "__main__":
    wats(prog_name="flask wats")
