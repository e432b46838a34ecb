"""LocalEngine: one process a core, each of one thread, replaced when it dies.

    thread ──a shard's number, a line──> process ──Attempt, a line of JSON──> thread ──> results
             └── the process ends without a line: an Attempt that says so, and a new process

The processes are plain ones that end when their standard input does: when this process dies, however it does, so do
they. A pool of the standard library would give all its tasks up with one worker.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import vaecodec
from vaecodec.archive.shards import ShardRecord
from vaecodec.cores import core_count
from vaecodec.sharding.task import Attempt, attempt

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class LocalEngine:
    """Processes of this machine. workers: how many, None for one a core."""

    def __init__(self, address: str, plan_id: str, workers: int | None = None) -> None:
        self.workers = workers or core_count()
        self._arguments = (address, plan_id)
        self._shards: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Attempt] = queue.SimpleQueue()
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * self.workers
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._serve, args=(k,), daemon=True) for k in range(self.workers)]
        for thread in self._threads:
            thread.start()

    @property
    def processes(self) -> list[int]:
        """Their ids."""
        with self._lock:
            return [process.pid for process in self._processes if process is not None]

    def submit(self, shard: int) -> None:
        """Give a shard to the next process that is free."""
        self._shards.put(shard)

    def next_done(self, timeout_s: float) -> Attempt | None:
        """What was done next; None where nothing is for so long."""
        try:
            return self._done.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """End the processes, in the middle of a shard too."""
        self._closed.set()
        for _ in self._threads:
            self._shards.put(None)
        with self._lock:
            for process in self._processes:
                if process is not None:
                    process.kill()
        for thread in self._threads:
            thread.join()

    def _serve(self, k: int) -> None:
        """What thread k does: it gives one shard after the other to its process."""
        process: subprocess.Popen[bytes] | None = None
        while not self._closed.is_set() and (shard := self._shards.get()) is not None:
            try:
                process = self._running(k, process)
                if process is None:
                    break
                line = _asked(process, shard)
            except OSError as error:
                self._done.put(Attempt(shard, None, f"no worker: {error}", again=True))
                continue
            if line:
                self._done.put(_unpack_attempt(line))
            else:
                self._done.put(Attempt(shard, None, f"the worker died (exit code {process.wait()})", again=True))
        if process is not None:
            _end(process)

    def _running(self, k: int, process: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes] | None:
        """The process of thread k, or a new one; None where the engine is closed."""
        if process is not None and process.poll() is None:
            return process
        if process is not None:
            _end(process)
        with self._lock:
            if self._closed.is_set():
                return None
            self._processes[k] = _start(*self._arguments)
            return self._processes[k]


def _start(address: str, plan_id: str) -> subprocess.Popen[bytes]:
    """A process of one thread that imports this package, wherever it was found. Raises OSError."""
    path = [str(Path(vaecodec.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path)), **dict.fromkeys(ONE_THREAD, "1")}
    return subprocess.Popen(
        [sys.executable, "-m", "vaecodec.sharding.local", address, plan_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,  # an interrupt at the terminal is this process' to handle
    )


def _asked(process: subprocess.Popen[bytes], shard: int) -> bytes:
    """The line that a process answers; b"" where it died."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.write(f"{shard}\n".encode())
        process.stdin.flush()
    return process.stdout.readline()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # what is left in its buffer is for nobody
                stream.close()


def _pack_attempt(done: Attempt) -> bytes:
    record = None if done.record is None else done.record.to_bytes().decode()
    return json.dumps([done.shard, record, done.error, done.again, done.elapsed_s]).encode() + b"\n"


def _unpack_attempt(line: bytes) -> Attempt:
    shard, record, error, again, elapsed_s = json.loads(line)
    return Attempt(shard, None if record is None else ShardRecord.from_bytes(record.encode()), error, again, elapsed_s)


def main(address: str, plan_id: str) -> None:
    """A worker: shards from standard input, what became of them to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    shards: queue.SimpleQueue[int] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            shards.put(int(line))
        os._exit(0)  # whoever asks is gone

    threading.Thread(target=listen, daemon=True).start()
    while True:
        answers.write(_pack_attempt(attempt(address, plan_id, shards.get())))
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
