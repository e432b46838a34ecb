"""How much memory this process may use: what needs more is refused before any of it is allocated."""

from __future__ import annotations

import os
from pathlib import Path

CONTROL_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # versions 2 and 1


def memory_bytes() -> int | None:
    """The least of the machine's memory and the limits that are set to this process; None where nothing tells."""
    found = [_physical(), _address_space(), *(_control_group(Path(path)) for path in CONTROL_GROUPS)]
    return min((limit for limit in found if limit is not None), default=None)


def _physical() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # no sysconf on Windows, no such name on others
        return None


def _address_space() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def _control_group(path: Path) -> int | None:
    """Of a container. Absent, "max" and a number beyond any machine mean that there is none."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdecimal() else None
