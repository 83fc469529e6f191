"""Run a program and end it when the bridge dies, where the kernel cannot.

    python watch.py BRIDGE_PID PROGRAM ARGUMENT...

A script that stays as the program's parent, with nothing imported from the bridge.
"""

import os
import signal
import subprocess
import sys
from types import FrameType


def main(bridge: str, *command: str) -> int:
    """Return the program's status.

    Signals are taken before the program runs, since a stop may come while it is being started.
    """
    children: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _: FrameType | None) -> None:
        if not children:
            early.append(number)
        for child in children:
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, forward)
    children.append(subprocess.Popen(command, close_fds=False))  # noqa: S603  # the bridge's own command
    for missed in early:
        children[0].send_signal(missed)
    return _waited(children[0], int(bridge))


def _waited(child: subprocess.Popen[bytes], bridge: int) -> int:
    while True:
        try:
            return child.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            if os.getppid() != bridge:
                child.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
