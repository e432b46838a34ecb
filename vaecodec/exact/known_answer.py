"""The known answer: some inputs of a model and the hash of what they give. Wrong arithmetic is noticed before it harms.

KnownAnswer, in the model file ──Proof, before the first batch of each size──> nothing, or KnownAnswerMismatch
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.errors import BadField, KnownAnswerMismatch
from vaecodec.exact.network import ExactNetwork

KNOWN_ANSWER_BATCH = 64
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """Inputs, int32 (64, m), and the SHA-256 of the result for the first one and for all."""

    symbols: npt.NDArray[np.int32]
    sha256_one: str
    sha256_all: str


class Proof:
    """Compares this machine with a known answer, once for each size of batch.

    digests: the hash of what inputs (rows, m) give, for each 64 rows (the row, where there is one). model: its name.
    of: which part of the model the answer is of; at_risk: what would be wrong. Both for the message.
    """

    def __init__(
        self,
        answer: KnownAnswer,
        digests: Callable[[npt.NDArray[np.int32]], Sequence[str]],
        *,
        model: str,
        of: str = "",
        at_risk: str = "images",
    ) -> None:
        self._answer, self._digests = answer, digests
        self._model, self._of, self._at_risk = model, of, at_risk
        self._proven: set[int] = set()

    def before(self, batch: int, *, many: int = KNOWN_ANSWER_BATCH) -> None:
        """Compare before the first use of one image, of a batch of up to 64, and of a larger one, of `many` rows.

        many: a multiple of 64. Raises KnownAnswerMismatch.
        """
        rows = 1 if batch == 1 else KNOWN_ANSWER_BATCH if batch <= KNOWN_ANSWER_BATCH else many
        if rows in self._proven:
            return
        answer = self._answer
        found = self._digests(np.resize(answer.symbols, (rows, answer.symbols.shape[1])))
        if set(found) != {answer.sha256_one if rows == 1 else answer.sha256_all}:
            raise KnownAnswerMismatch(
                f"{self._model}: at batch size {rows} this machine's arithmetic does not give the known answer"
                f"{self._of}; {self._at_risk} would be wrong"
            )
        self._proven.add(rows)


def checked_answer(symbols: npt.NDArray[np.int32], digests: dict[str, Any]) -> KnownAnswer:
    """The known answer of a model file: its symbols, and an object with the keys "one" and "all". Raises BadField."""
    for digest in (digests["one"], digests["all"]):
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise BadField(f"model file: known answer must be 64 lower-case hexadecimal digits, found {digest!r}")
    return KnownAnswer(symbols, digests["one"], digests["all"])


def known_rows(symbols: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Inputs (64, m) of a known answer: the first of symbols (N, m), which are repeated where they are fewer."""
    return np.resize(symbols, (KNOWN_ANSWER_BATCH, symbols.shape[1])).astype(np.int32)


def sha256_of(values: npt.NDArray[np.float32]) -> str:
    """Of values as little-endian int32."""
    return hashlib.sha256(values.astype("<i4").tobytes()).hexdigest()


def answer_of(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> str:
    """SHA-256 of the result as little-endian int32."""
    return sha256_of(network(symbols))


def make_known_answer(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> KnownAnswer:
    """The known answer for 64 rows of symbols."""
    return KnownAnswer(symbols, answer_of(network, symbols[:1]), answer_of(network, symbols))
