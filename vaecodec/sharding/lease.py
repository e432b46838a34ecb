"""One coordinator at a time: a lock on disk, a lease in a store.

disk     .coordinator.lock is locked until the process ends, however it ends
store    .coordinator.lock, put there only where nothing is, says whose the lease is and until when; renewed while the
         coordinator works. One that was not renewed for LEASE_S belongs to a coordinator that is gone.

Two that believe both to hold it make the same bytes twice, and nothing wrong.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

from vaecodec.archive.folder import Folder, LocalFolder
from vaecodec.errors import OutputError

LOCK_NAME = ".coordinator.lock"
LEASE_S = 60.0
RENEWED_S = 15.0


@contextmanager
def hold(folder: Folder) -> Iterator[None]:
    """Within it, no other coordinator works in the folder. Raises OutputError where one does, OSError."""
    with _lock(folder) if isinstance(folder, LocalFolder) else _lease(folder):
        yield


@contextmanager
def _lock(folder: LocalFolder) -> Iterator[None]:
    os.makedirs(folder.address, exist_ok=True)
    path = folder.path(LOCK_NAME)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows has no such lock
            pass
        except OSError as error:
            raise OutputError(f"{folder.address}: another coordinator is at work there") from error
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who holds a lease; renewed_s: seconds since 1970."""

    id: str
    host: str
    process: int
    renewed_s: float

    @classmethod
    def this(cls, id: str) -> _Holder:
        """This process, now."""
        return cls(id, socket.gethostname(), os.getpid(), time.time())

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @property
    def left_s(self) -> float:
        """How long it still counts; nothing where its process was of this machine and is gone."""
        if self.host == socket.gethostname() and not _is_alive(self.process):
            return 0.0
        return self.renewed_s + LEASE_S - time.time()


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # there, signal 0 ends a process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@contextmanager
def _lease(folder: Folder) -> Iterator[None]:
    own = os.urandom(8).hex()
    while not folder.create(LOCK_NAME, _Holder.this(own).to_bytes()):
        holder = _holder(folder)
        if holder is not None and holder.left_s > 0:
            raise OutputError(
                f"{folder.address}: another coordinator is at work there, process {holder.process} of {holder.host}; "
                f"if it is gone, its lease ends in {holder.left_s:.0f} s"
            )
        folder.remove(LOCK_NAME)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(folder, own, ended), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        if (holder := _holder(folder)) is not None and holder.id == own:
            folder.remove(LOCK_NAME)


def _renew(folder: Folder, own: str, ended: threading.Event) -> None:
    while not ended.wait(RENEWED_S):
        with suppress(OSError):  # the next time it may be reached again
            folder.publish(LOCK_NAME, _Holder.this(own).to_bytes())


def _holder(folder: Folder) -> _Holder | None:
    """Who holds the lease; None where nobody does, or nobody knows."""
    try:
        return _Holder(**json.loads(folder.read(LOCK_NAME)))
    except (FileNotFoundError, ValueError, TypeError):
        return None
