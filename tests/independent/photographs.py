"""Photographs (sections 18 and 19): a model file's networks, and payloads of regions to pixels, by int64 alone.

    model file --read--> PhotographModel         payloads, level, size --decode--> uint8 (H, W, 3)

Everything here follows the page word by word and is slow: each convolution is a sum over its taps.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import arrays, container
from tests.independent.canonical_json import exactly, whole
from tests.independent.cursor import Cursor
from tests.independent.model_file import MAX_LEVELS, check_about, check_encode, fingerprint_of
from tests.independent.range_coder import TOTAL, RangeDecoder
from tests.independent.refusal import require
from tests.independent.tables import MAX_ALPHABET, Tables, starts_of

Map = NDArray[np.int64]  # (rows, columns, channels)
TOLD = 32767
MAX_FILL_BYTES = 32
DESCRIBED = {"levels", "silent", "base_slices", "detail_slices", "branches"}


def rounded(x: Map, shift: int | Map) -> Map:
    """round(x / 2^shift)."""
    return (x + ((1 << np.asarray(shift, np.int64)) >> 1)) >> shift


def clamped(x: Map, most: int | Map) -> Map:
    """The nearest of -most … most."""
    return np.clip(x, -np.asarray(most), most)


def shuffled(x: Map, f: int) -> Map:
    """Shuffling by f."""
    rows, columns, channels = x.shape
    made = np.zeros((f * rows, f * columns, channels // f**2), np.int64)
    for n in range(channels):
        c, i, j = n // f**2, n // f % f, n % f
        made[i::f, j::f, c] = x[:, :, n]
    return made


@dataclass(frozen=True)
class Convolution:
    """One record of decode/convolutions; weights (out, k, k, in)."""

    weights: Map
    bias: Map
    shift: Map
    limit: Map
    positive: bool
    input_shift: int

    def __call__(self, x: Map) -> Map:
        x = np.clip(rounded(x, self.input_shift), 0 if self.positive else -self.limit, self.limit)
        k = self.weights.shape[1]
        rows, columns, _ = x.shape
        padded = np.pad(x, ((k // 2, k // 2), (k // 2, k // 2), (0, 0)))
        total = np.tile(self.bias, (rows, columns, 1))
        for row in range(k):
            for column in range(k):
                taps = padded[row : row + rows, column : column + columns]
                total += np.einsum("rci,oi->rco", taps, self.weights[:, row, column])
        return rounded(total, self.shift)


def convolutions(data: bytes) -> Iterator[Convolution]:
    """The records, one after the other."""
    cursor = Cursor(data)
    while cursor.left():
        k, i, o = cursor.unsigned(1, "k"), cursor.unsigned(2, "i"), cursor.unsigned(2, "o")
        flags, input_shift = cursor.unsigned(1, "flags"), cursor.unsigned(1, "input shift")
        limits = [cursor.unsigned(4, "limit") for _ in range(1 if flags & 2 else i)]
        shifts = [cursor.unsigned(1, "shift") for _ in range(o)]
        biases = [int.from_bytes(cursor.take(8, "bias"), "little", signed=True) for _ in range(o)]
        b = cursor.unsigned(1, "b")
        high = zlib.decompress(cursor.take(cursor.unsigned(4, "length"), "high bits"), -15)
        require(len(high) == o * k * k * i, "BadField", "high bits of another length")
        weights = np.frombuffer(high, np.int8).astype(np.int64) << b
        for bit in range(b):
            plane = np.frombuffer(cursor.take(-(-len(high) // 8), "low bits"), np.uint8)
            weights += np.unpackbits(plane)[: len(high)].astype(np.int64) << bit
        yield Convolution(
            weights.reshape(o, k, k, i),
            np.array(biases),
            np.array(shifts),
            np.broadcast_to(np.array(limits), i),
            bool(flags & 1),
            input_shift,
        )


def chain(layers: list[Convolution], x: Map) -> Map:
    """Layers that follow one another."""
    for layer in layers:
        x = layer(x)
    return x


class PhotographModel:
    """What section 18 says of a file."""

    def __init__(self, data: bytes) -> None:
        read = container.read(data)
        require("decode" in read.meta, "BadField", 'no "decode"')
        decode = exactly(read.meta["decode"], {"photograph", "known_answer"}, "decode")
        self.sizes: dict[str, Any] = exactly(decode["photograph"], DESCRIBED, "photograph")
        self.levels = whole(self.sizes["levels"], 1, MAX_LEVELS, "levels")
        check_encode(read.meta, self.levels)
        check_about(read.meta)
        self.fingerprint = fingerprint_of(read)
        self.answers = [
            (one, read.sections[f"decode/known_answer/{k}"]) for k, one in enumerate(decode["known_answer"])
        ]

        def table(name: str) -> NDArray:
            found = arrays.read(read.sections[f"decode/{name}"], name)
            return found if found.dtype == np.uint32 else found.astype(np.int64)

        self.table = table
        records = convolutions(read.sections["decode/convolutions"])
        self.enter, self.stages = next(records), []
        for counts in self.sizes["branches"]:
            branches = [[next(records) for _ in range(count)] for count in counts]
            self.stages.append((branches, next(records)))
        self.hyper = [next(records) for _ in range(3)]
        self.base = []
        for t in range(len(self.sizes["base_slices"])):
            others = [next(records) for _ in range(2 if t else 0)]
            self.base.append((others, next(records), [next(records) for _ in range(3)]))
        self.detail = []
        for t in range(len(self.sizes["detail_slices"])):
            halves = []
            for odd in (False, True):
                near = [next(records) for _ in range(2 if t or odd else 0)]
                halves.append((near, [next(records) for _ in range(2)]))
            self.detail.append(halves)
        self.summary = [next(records), next(records)]
        require(next(records, None) is None, "TrailingData", "more convolutions")
        counts = table("z/counts")
        self.z_tables = Tables.of(table("z/offsets").astype(np.int32), counts, np.ones(len(counts), np.uint8))
        self.gaussians = list(self._rows(table("gaussians")))
        require(len(self.gaussians) == 64, "BadField", "not 64 tables")

    @staticmethod
    def _rows(counts: NDArray) -> Iterator[Tables]:
        """The tables of one symbol each."""
        require(counts.dtype == np.uint32 and counts.ndim == 1, "BadField", "gaussians of another dtype or shape")
        begin, total = 0, 0
        for place, count in enumerate(counts.tolist()):
            require(count > 0, "BadField", "a count of 0")
            total += count
            if total == TOTAL:
                row = counts[np.newaxis, begin : place + 1]
                require(row.size % 2 == 0 and row.size <= MAX_ALPHABET, "BadField", f"a row of {row.size} counts")
                yield Tables((1 - row.size // 2,), starts_of(row, np.ones(1, np.uint8)))
                begin, total = place + 1, 0
        require(total == 0, "BadField", "counts after the last row")

    def group(self, decoder: RangeDecoder, number: int, size: int) -> Map:
        """So many symbols that share a row of decode/gaussians."""
        one = self.gaussians[number]
        return Tables(one.offsets * size, one.rows * size).decode(decoder)

    def trunk(self, told: Map, level: int) -> Map:
        """Of a map of what was told of the base."""
        x = self.enter(clamped(rounded(told * self.table("inverse_gain")[level], 16), 2**20 - 1))
        return self.branched(0, x, level)

    def branched(self, stage: int, x: Map, level: int) -> Map:
        """A stage's bias and its branches."""
        x = clamped(x + self.table(f"level_bias/{stage}")[level], 32767)
        for branch in self.stages[stage][0]:
            x = clamped(x + chain(branch, x), 32767)
        return x

    def region(self, decoder: RangeDecoder, level: int, a: int, b: int) -> tuple[Map, Map]:
        """What is told of base and detail of a region of a×b positions."""
        z = np.array([self.z_tables.decode(decoder) for _ in range(-(-a // 4) * -(-b // 4))])
        z = z.reshape(-(-a // 4), -(-b // 4), -1)
        x = clamped(rounded(clamped(z, 4095) * self.table("hyper/inverse_gain")[level], 12), 32767)
        x = self.hyper[2](shuffled(self.hyper[1](shuffled(self.hyper[0](x), 2)), 2))
        facts = clamped(x[:a, :b] + self.table("hyper/level_bias")[level], 32767)

        def base_half(known: list[Map], t: int, odd: int) -> Map:
            others, even, join = self.base[t]
            told = [facts]
            if t:
                told.append(others[odd](np.concatenate(known[:t], 2)))
            told.append(even(known[t]) if odd else np.zeros((a, b, len(even.bias)), np.int64))
            return chain(join, np.concatenate(told, 2))

        base = self.passes(decoder, self.sizes["base_slices"], (a, b), base_half, None)
        if level < self.sizes["silent"]:
            decoder.end()
            return base, np.zeros((a, b, sum(self.sizes["detail_slices"])), np.int64)
        summary = chain(self.summary, np.concatenate((self.trunk(base, level), facts), 2))
        features = np.clip(summary + self.table("detail/level_bias")[level], 0, 32767)

        def detail_half(known: list[Map], t: int, odd: int) -> Map:
            near, join = self.detail[t][odd]
            told = [features, chain(near, np.concatenate(known, 2))] if near else [features]
            return chain(join, np.concatenate(told, 2))

        offset = self.table("detail/offset")[level]
        detail = self.passes(decoder, self.sizes["detail_slices"], (a, b), detail_half, offset)
        decoder.end()
        return base, detail

    def passes(self, decoder, slices, shape, half, offset) -> Map:
        """The passes of the base or of the detail."""
        rows, columns = np.indices(shape)
        known = [np.zeros((*shape, channels), np.int64) for channels in slices]
        for t in range(len(slices) + 1):
            guessed, parts = [one.copy() for one in known], []
            for number, odd in ((t - 1, 1), (t, 0)):
                if not 0 <= number < len(slices):
                    continue
                here, c = (rows + columns) % 2 == odd, slices[number]
                values = clamped(half(guessed, number, odd), 32767)[here]
                numbers = values[:, c:]
                if offset is not None:
                    begin = sum(slices[:number])
                    numbers = numbers + offset[begin : begin + c]
                parts.append((number, here, values[:, :c], np.clip((numbers + 8) >> 4, 0, 63)))
                guessed[number][here] += values[:, :c]
            for number, here, mean, tables in parts:
                symbols = np.zeros_like(mean)
                for table in range(64):
                    if (size := int((tables == table).sum())) > 0:
                        symbols[tables == table] = self.group(decoder, table, size)
                known[number][here] = clamped(16 * clamped(symbols, 4096) + mean, TOLD)
        return np.concatenate(known, 2)

    def pixels(self, base: Map, detail: Map, level: int) -> NDArray[np.uint8]:
        """Of a whole picture's latents."""
        x = shuffled(self.stages[0][1](self.trunk(base, level)), 2)
        x = shuffled(self.stages[1][1](self.branched(1, x, level)), 2)
        x = clamped(shuffled(self.stages[2][1](self.branched(2, x, level)), 4), 32767)
        if level >= self.sizes["silent"]:
            blocks = shuffled(detail, 2) @ self.table("basis")
            x = x + shuffled(clamped(rounded(blocks * self.table("step")[level], 22), 32767), 8)
        return np.clip(rounded(x, 6), 0, 255).astype(np.uint8)


class FilledDecoder(RangeDecoder):
    """A region's decoder, which refuses a payload that is too short for its size as soon as it is seen (section 17)."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload)
        self._most = 8 * (len(payload) + MAX_FILL_BYTES)

    def _narrow(self, start: int, count: int) -> None:
        super()._narrow(start, count)
        require(self.bits <= self._most, "Truncated", "a payload that is too short for its size")


def shapes_of_regions(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Positions down and across of each region of a picture of so many pixels, in reading order."""
    h, w = -(-size[0] // 16), -(-size[1] // 16)
    return [(min(128, h - top), min(128, w - left)) for top in range(0, h, 128) for left in range(0, w, 128)]


def decode_regions(model: PhotographModel, payloads: list[bytes], level: int, size: tuple[int, int]) -> tuple[Map, Map]:
    """What is told of the whole picture's base and detail: nothing of its size is made before its payloads are read."""
    shapes = shapes_of_regions(size)
    told = [
        model.region(FilledDecoder(payload), level, *shape) for payload, shape in zip(payloads, shapes, strict=True)
    ]
    across = -(-size[1] // 2048)
    rows = range(0, len(told), across)
    base, detail = (
        np.concatenate([np.concatenate([one[part] for one in told[row : row + across]], 1) for row in rows])
        for part in (0, 1)
    )
    return base, detail


def decode(model: PhotographModel, payloads: list[bytes], level: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The picture of some payloads."""
    return model.pixels(*decode_regions(model, payloads, level, size), level)[: size[0], : size[1]]
