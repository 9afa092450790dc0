"""Who works: a name for this process, and whether the process of a name is still there."""

import os
import socket
from pathlib import Path
from uuid import uuid4


def name_of_this_process() -> str:
    """Return a name that tells host and process id, and that no other worker ever has."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"


def is_gone(worker: str) -> bool:
    """Return whether a worker of this host has ended; of another host nobody knows but its lease."""
    host, process, _ = worker.rsplit(":", 2)
    return host == socket.gethostname() and not _exists(int(process))


def _exists(process: int) -> bool:
    if os.name != "posix":
        return True  # the lease tells
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Return whether a process has ended and its parent has not noticed (Linux tells)."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "Z"
