"""The known answer: some inputs of a model and the hash of what they give: wrong arithmetic is noticed at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.errors import BadField
from vaecodec.exact.network import ExactNetwork

KNOWN_ANSWER_BATCH = 64
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """Inputs, int32 (64, m), and the SHA-256 of the result for the first one and for all."""

    symbols: npt.NDArray[np.int32]
    sha256_one: str
    sha256_all: str


def checked_answer(symbols: npt.NDArray[np.int32], digests: dict[str, Any]) -> KnownAnswer:
    """The known answer of a model file: its symbols, and an object with the keys "one" and "all". Raises BadField."""
    for digest in (digests["one"], digests["all"]):
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise BadField(f"model file: known answer must be 64 lower-case hexadecimal digits, found {digest!r}")
    return KnownAnswer(symbols, digests["one"], digests["all"])


def sha256_of(values: npt.NDArray[np.float32]) -> str:
    """Of values as little-endian int32."""
    return hashlib.sha256(values.astype("<i4").tobytes()).hexdigest()


def answer_of(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> str:
    """SHA-256 of the result as little-endian int32."""
    return sha256_of(network(symbols))


def make_known_answer(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> KnownAnswer:
    """The known answer for 64 rows of symbols."""
    return KnownAnswer(symbols, answer_of(network, symbols[:1]), answer_of(network, symbols))
