"""A child of a supervisor: `beating.py FILE steady|slow|stubborn`. It counts its beats in a file.

`slow` has not come to its first beat yet; `stubborn` does not end when it is told to.
"""

import signal
import sys
import time
from pathlib import Path

from app.startup.beats import beats_of_this_process


def main(file: str, behaviour: str) -> None:
    beats, count = beats_of_this_process(), 0

    def stop_never(*_: object) -> None:
        beats.announce_stop()
        while True:
            time.sleep(1)

    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, stop_never)
    while True:
        if behaviour != "slow":
            beats.beat()
            count += 1
            Path(file).write_text(str(count))
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
