"""Whether the process that wrote a run is still there."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STAT = "/proc/{}/stat"
_ENDED = {"Z", "X"}  # states of a process that was killed and is not yet buried
_STATE, _BORN = 0, 19  # fields of /proc/…/stat behind the name, which may hold anything


class Process(NamedTuple):
    """A process, told from all others.

    Attributes
    ----------
    host
        Name of its machine, the start of that machine and what numbers the process: in a container
        each has numbers of its own.
    pid
        Its number there.
    born
        When it began, as the system counts; "" where that is not known. Numbers are used again.
    """

    host: tuple[str, str, str]
    pid: int
    born: str

    @property
    def alive(self) -> bool | None:
        """Whether it is still there; None if that cannot be known from here."""
        if self.host != _host() or sys.platform == "win32":
            return None
        if Path(STAT.format("self")).exists():
            state, born = _stat(self.pid)
            return bool(born) and born == self.born and state not in _ENDED
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # of somebody else
            return True
        return True


def this_process() -> Process:
    """Return the one that asks."""
    return Process(_host(), os.getpid(), _stat(os.getpid())[1])


def _host() -> tuple[str, str, str]:
    boot = numbering = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        numbering = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - no path
    return platform.node(), boot, numbering


def _stat(pid: int) -> tuple[str, str]:
    """Return the state of a process and when it began; "" for one that is not there."""
    try:
        said = Path(STAT.format(pid)).read_text("utf-8", "replace")
    except OSError:
        return "", ""
    fields = said.rpartition(")")[2].split()
    return fields[_STATE], fields[_BORN]
