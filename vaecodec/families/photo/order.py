"""The decode order: which latents are told in which pass. Training, encoding and decoding drive this one generator.

Channels come in slices, positions in the two colours of a checkerboard (even, odd). Slice k's even half is told in pass
k, its odd half in pass k + 1, beside the even half of the next slice:

    pass         0     1        2        3        n
    told         0e    0o 1e    1o 2e    2o 3e    (n-1)o         n slices: n + 1 passes

A half knows what all earlier passes told, and of the half told beside it the mean, which those passes decide. So an
even half has a guess of the one thing that "slice after slice, two passes each" would have told it more, and the
passes are nearly halved.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vaecodec.families.photo.layers import place


@dataclass(frozen=True, slots=True)
class Part:
    """Half of a slice, before it is told: its number, its colour, its mean and ln σ (b, c, h, w/2), in steps."""

    slice: int
    parity: int
    mean: Tensor
    log_scale: Tensor


Heads = Callable[[int, int, Sequence[Tensor]], Part]
"""What knows the distributions of all slices of some latents: the number and colour of a half slice, and all slices
(b, c, h, w) as far as they are told, zero where they are not -> the half slice's distribution."""
Order = Generator[tuple[Part, ...], tuple[Tensor, ...], Tensor]
Answer = Callable[[Part], Tensor]


def decode_order(heads: Heads, slices: Sequence[int], like: Tensor) -> Order:
    """Yields the parts of each pass, is sent their values (b, c, h, w/2), returns all of them (b, sum c, h, w).

    slices: channels of each. like: any tensor (b, _, h, w) of the wanted batch, height, width, type and device.
    """
    batch, _, height, width = like.shape
    known = [like.new_zeros(batch, channels, height, width) for channels in slices]
    count = len(slices)
    for step in range(count + 1):
        halves = [(number, parity) for number, parity in ((step - 1, 1), (step, 0)) if 0 <= number < count]
        parts: tuple[Part, ...] = ()
        guessed = list(known)
        for number, parity in halves:
            part = heads(number, parity, guessed)
            guessed[number] = guessed[number] + place(part.mean, parity)
            parts = (*parts, part)
        values = yield parts
        for part, value in zip(parts, values, strict=True):
            known[part.slice] = known[part.slice] + place(value, part.parity)
    return torch.cat(known, 1)


def drive(order: Order, answer: Answer) -> Tensor:
    """Go through an order; `answer` gives the values of each part. Returns what the order returns."""
    parts = next(order)
    while True:
        try:
            parts = order.send(tuple(answer(part) for part in parts))
        except StopIteration as stop:
            told: Tensor = stop.value
            return told
