"""The proof of a known answer: once for each size of batch, and before anything else is done."""

import numpy as np
import pytest

from vaecodec.errors import KnownAnswerMismatch
from vaecodec.exact.known_answer import KnownAnswer, Proof, sha256_of

ROWS = np.arange(128, dtype=np.int32).reshape(64, 2)


class Machine:
    """Doubles its inputs; `wrong` from some rows on."""

    def __init__(self, wrong_at: int | None = None) -> None:
        self.asked: list[int] = []
        self.wrong_at = wrong_at

    def digests(self, rows: np.ndarray) -> list[str]:
        self.asked.append(len(rows))
        values = (2 * rows).astype(np.float32)
        if self.wrong_at is not None and self.wrong_at < len(values):
            values[self.wrong_at] += 1
        return [sha256_of(values[k : k + 64]) for k in range(0, len(rows), 64)]


ANSWER = KnownAnswer(ROWS, sha256_of(2.0 * ROWS[:1]), sha256_of(2.0 * ROWS))


def proof(machine: Machine) -> Proof:
    return Proof(ANSWER, machine.digests, model="some", of=" of a part", at_risk="pixels")


def test_each_size_of_batch_is_proven_once() -> None:
    machine = Machine()
    proven = proof(machine)
    for batch in (1, 1, 2, 64, 7, 1, 65, 500, 300):
        proven.before(batch, many=256)
    assert machine.asked == [1, 64, 256]


def test_without_a_size_for_many_they_are_proven_as_64() -> None:
    machine = Machine()
    proof(machine).before(300)
    assert machine.asked == [64]


@pytest.mark.parametrize(("wrong_at", "batch", "said"), [(0, 1, 1), (63, 2, 64), (200, 65, 256)])
def test_a_wrong_answer_anywhere_is_refused_every_time(wrong_at: int, batch: int, said: int) -> None:
    proven = proof(Machine(wrong_at))
    for _ in range(2):
        with pytest.raises(KnownAnswerMismatch, match=rf"batch size {said} .* of a part; pixels would be wrong"):
            proven.before(batch, many=256)
