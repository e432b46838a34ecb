"""Commands of `vaecodec` in forked children of a process that has imported what they need: many runs in little time.

Nothing but imports is done before: a child reads its models and starts its threads itself.
"""

import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

PATIENCE_S = 300.0  # a command that has not ended by then hangs


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, or minus the signal that killed it; stderr, and seconds from its start."""

    code: int
    errors: str
    elapsed_s: float

    @property
    def clean_error(self) -> bool:
        """Whether it is an error in one line, said to be one, and no bug of ours."""
        lines = self.errors.splitlines()
        said = [line for line in lines if line.startswith("vaecodec: error: ")]
        return len(said) == 1 and lines[-1] == said[0] and not self.foreign

    @property
    def foreign(self) -> bool:
        """Whether a traceback is seen, or what we call a bug of ours, or it ended by a signal that nobody sent."""
        return "Traceback" in self.errors or "this is a bug" in self.errors or "Exception ignored" in self.errors


def import_what_it_uses(arguments: Sequence[str]) -> Ended:
    """Run a command once, and import here what it has imported: later children are forked with that done."""
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "names"
        ended = run_command(arguments, imported=names)
        for name in names.read_text().split():
            with suppress(ImportError):  # names that a library makes up
                import_module(name)
    return ended


def run_command(
    arguments: Sequence[str],
    *,
    number: int = signal.SIGKILL,
    after_s: float | None = None,
    prepare: Callable[[], None] | None = None,
    output: str = os.devnull,
    imported: Path | None = None,
) -> Ended:
    """Run a command to its end. number: of a signal that is sent after so many seconds, if it is given.

    prepare: done in the child before the command. output: of standard output. imported: a file for the names of all
    modules that are imported at the end. A command that hangs is killed.
    """
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reading)
        _become(arguments, prepare, output, writing, imported)
    os.close(writing)
    errors, deadline_s = b"", None if after_s is None else began + after_s
    while True:
        now = time.monotonic()
        if deadline_s is not None and now >= deadline_s:
            os.kill(child, number)
            deadline_s = None
        if now - began > PATIENCE_S:
            os.kill(child, signal.SIGKILL)
        wait_s = PATIENCE_S if deadline_s is None else max(0.0, deadline_s - now)
        if select.select([reading], [], [], wait_s)[0]:
            more = os.read(reading, 1 << 16)
            if not more:
                break
            errors += more
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    elapsed_s = time.monotonic() - began
    return Ended(os.waitstatus_to_exitcode(status), errors.decode(errors="replace"), elapsed_s)


def _become(
    arguments: Sequence[str],
    prepare: Callable[[], None] | None,
    output: str,
    writing: int,
    imported: Path | None,
) -> None:
    """What the child does; it does not return."""
    from cli.main import main

    code = 1
    try:
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(writing, 2)
        os.close(writing)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)  # nohup ignores one of them, for all that it starts
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if prepare is not None:
            prepare()
        main(list(arguments))
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        sys.stderr.write("vaecodec: error: interrupted\n")  # as entry.py, which stands around main()
        code = 130
    finally:
        sys.stderr.flush()
        if imported is not None:
            imported.write_text("\n".join(sys.modules))
        os._exit(code)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
