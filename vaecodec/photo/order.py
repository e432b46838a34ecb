"""The decode order: which latents are told in which pass. Training, encoding and decoding drive this one generator.

Channels come in slices, positions in the two colours of a checkerboard (even, odd). Slice k's even half is told in pass
k, its odd half in pass k + 1, beside the even half of the next slice:

    pass         0     1        2        3        n
    told         0e    0o 1e    1o 2e    2o 3e    (n-1)o         n slices: n + 1 passes

A half knows what all earlier passes told, and of the half told beside it the mean, which those passes decide. So an
even half has a guess of the one thing that "slice after slice, two passes each" would have told it more, and the
passes are nearly halved.

Arrays may be torch's (b, c, h, w) or numpy's (h, w, c): the order only adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Addable(Protocol):
    """What the order asks of an array."""

    def __add__(self, other: Any, /) -> Any: ...


A = TypeVar("A", bound=Addable)


@dataclass(frozen=True, slots=True)
class Part(Generic[A]):
    """Half of a slice, before it is told: its number, its colour, its mean and what tells its scale, one each a symbol.

    scale: ln σ in steps in training, the number of an integer table in files.
    """

    slice: int
    parity: int
    mean: A
    scale: A


Heads = Callable[[int, int, Sequence[A]], Part[A]]
"""What knows the distributions of all slices of some latents: the number and colour of a half slice, and all slices as
far as they are told, zero where they are not -> the half slice's distribution."""

Order = Generator[tuple[Part[A], ...], tuple[A, ...], list[A]]


def decode_order(heads: Heads[A], nothing: Sequence[A], place: Callable[[A, int], A]) -> Order[A]:
    """Yields the parts of each pass, is sent their values, returns all slices.

    nothing: zeros of the shape of each slice. place: a half, and its colour -> the whole, zero on the other colour.
    """
    known = list(nothing)
    count = len(known)
    for step in range(count + 1):
        halves = [(number, parity) for number, parity in ((step - 1, 1), (step, 0)) if 0 <= number < count]
        parts: tuple[Part[A], ...] = ()
        guessed = list(known)
        for number, parity in halves:
            part = heads(number, parity, guessed)
            guessed[number] = guessed[number] + place(part.mean, parity)
            parts = (*parts, part)
        values = yield parts
        for part, value in zip(parts, values, strict=True):
            known[part.slice] = known[part.slice] + place(value, part.parity)
    return known


def drive(order: Order[A], answer: Callable[[Part[A]], A]) -> list[A]:
    """Go through an order; `answer` gives the values of each part. Returns what the order returns."""
    parts = next(order)
    while True:
        try:
            parts = order.send(tuple(answer(part) for part in parts))
        except StopIteration as stop:
            told: list[A] = stop.value
            return told
