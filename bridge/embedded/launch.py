"""Run a PostgreSQL program as somebody it accepts, and end it when the bridge dies.

    python launch.py same|namespace:UID|user:UID:GID BRIDGE_PID|watched DIRECTORY PROGRAM ARGUMENT...

A script that becomes the program, with nothing imported from the bridge: code between fork and exec
of a process with threads may deadlock, and this starts in 10 ms. Only Linux can end it with the bridge;
elsewhere it is `watched` by `watch.py`.
"""

import ctypes
import os
import sys

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_SIGINT = 2
"""Named here, for the import of `signal` takes half as long as all else."""


def main(identity: str, bridge: str, directory: str, *command: str) -> int:
    try:
        _become(identity)
        os.chdir(directory)
        if bridge != "watched":
            _end_with_bridge(int(bridge))
        os.execv(command[0], command)  # noqa: S606  # no shell is wanted
    except OSError as error:
        print(f"launch: {error}", file=sys.stderr)  # noqa: T201  # the bridge reads it
        return 1


def _become(identity: str) -> None:
    match identity.split(":"):
        case ["namespace", uid]:
            owner = os.geteuid()
            _checked(_libc().unshare(_CLONE_NEWUSER))
            with open("/proc/self/uid_map", "w") as uid_map:  # noqa: PTH123  # pathlib costs 5 ms of start
                uid_map.write(f"{uid} {owner} 1")
        case ["user", uid, gid]:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))


def _end_with_bridge(bridge: int) -> None:
    """Let the kernel send SIGINT, PostgreSQL's fast shutdown, when the thread that started us ends.

    A change of credentials forgets it (prctl(2), PR_SET_PDEATHSIG), so it is asked for last; whether the
    bridge died before is asked afterwards.
    """
    _checked(_libc().prctl(_PR_SET_PDEATHSIG, _SIGINT, 0, 0, 0))
    if os.getppid() != bridge:
        raise ProcessLookupError("the bridge is gone")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
