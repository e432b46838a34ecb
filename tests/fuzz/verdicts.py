"""What the program does with a mutant, judged: refused, the right picture, another valid file, or a fault.

mutant --program--> error of ours | pictures | anything else
                     refused         right, valid or wrong   foreign, slow
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vaecodec.errors import VaecodecError

LONGEST_S = 10.0  # what is not done by then is stopped, and counted as a fault


class Wrong(Exception):
    """A picture that is neither of the original's nor what the second decoder gives."""


class Slow(BaseException):
    """It took longer than LONGEST_S; no Exception, so that nothing on the way takes it for its own."""


@dataclass(slots=True)
class Tally:
    """Mutants of one kind, counted by what became of them. faults: what must not be, at most the first few."""

    mutants: int = 0
    right: int = 0
    valid: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    fault_count: int = 0
    faults: list[dict[str, str]] = field(default_factory=list)
    slowest_s: float = 0.0
    cpu_s: float = 0.0

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "mutants": self.mutants,
            "refused": dict(sorted(self.refused.items())),
            "right": self.right,
            "another_valid_file": self.valid,
            "faults": self.fault_count,
            "first_faults": self.faults,
            "slowest_s": self.slowest_s,
            "cpu_s": self.cpu_s,
        }


def judged(mutants: Iterator[Any], count: int, judge: Callable[[Any], bool], described: Callable[[Any], str]) -> Tally:
    """Judge so many mutants.

    judge: uses a mutant; True where it gives the right picture, False where it is another valid file. Raises
    VaecodecError where it is refused, Wrong where the picture is not what it must be.
    """
    tally, started = Tally(), time.process_time()
    for _ in range(count):
        mutant = next(mutants)
        tally.mutants += 1
        before = time.perf_counter()
        try:
            with at_most(LONGEST_S):
                if judge(mutant):
                    tally.right += 1
                else:
                    tally.valid += 1
        except VaecodecError as error:
            tally.refused[type(error).__name__] += 1
        except (Exception, Slow) as error:
            tally.fault_count += 1
            if len(tally.faults) < 20:
                tally.faults.append({"error": f"{type(error).__name__}: {error}"[:300], "mutant": described(mutant)})
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - before)
    tally.cpu_s = time.process_time() - started
    return tally


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises Slow within it once so much processor time has passed."""

    def stop(*_: object) -> None:
        raise Slow(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def is_one_of(pixels: np.ndarray, pictures: Sequence[np.ndarray]) -> bool:
    """Whether these are the pixels of one of the pictures."""
    return any(picture.shape == pixels.shape and bool((picture == pixels).all()) for picture in pictures)
