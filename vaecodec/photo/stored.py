"""The integer networks in a model file: a description in the header, all convolutions in one section, tables as arrays.

    ExactPhoto --pack_networks--> {"base_slices": …}, {"decode/convolutions": bytes, "decode/…": arrays}

A weight is stored as its high bits, which DEFLATE codes (Huffman's codes alone: weights repeat nothing), and its low
bits, which are as good as random. docs/format.md says what each section holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.limits import MAX_LEVEL, MAX_WEIGHT_NUMBERS
from vaecodec.bitstream.reader import Buffer, Reader, Writer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import BadField, LimitExceeded
from vaecodec.exact.stored_form import Sections, narrow, unpack_integers
from vaecodec.modelfile.analysis_weights import deflated, inflated
from vaecodec.photo.convolution import ExactConvolution, Int32
from vaecodec.photo.gaussians import TABLES, GaussianTables
from vaecodec.photo.heads import ExactBaseHeads, ExactBaseSlice, ExactDetailHalf, ExactDetailHeads, ExactHyper
from vaecodec.photo.latents import ExactPhoto
from vaecodec.photo.regions import BLOCKS_A_POSITION, COLOURS, DETAIL_BLOCK
from vaecodec.photo.synthesis import ExactBranch, ExactStage, ExactSynthesis

CONVOLUTIONS = "decode/convolutions"
HIGH_BITS = 7  # of a weight, sign included: what DEFLATE codes
MAX_LOW_BITS = 8
MAX_CHANNELS = 1 << 12  # of a convolution, and of what enters it
MAX_BRANCHES, MAX_BRANCH_LAYERS, MAX_SLICES = 64, 8, 16
RELU, ONE_LIMIT = 1, 2  # flags of a convolution: its inputs are not negative; they share one limit
HYPER_LAYERS, BASE_LAYERS, DETAIL_LAYERS = 3, 3, 2


def pack_networks(networks: ExactPhoto) -> tuple[dict[str, Any], Sections]:
    """The description of the networks, and the sections."""
    stages = networks.synthesis.stages
    described = {
        "levels": len(networks.synthesis.step),
        "silent": networks.silent,
        "base_slices": list(networks.base_heads.sizes),
        "detail_slices": list(networks.detail_heads.sizes),
        "branches": [[len(branch.convolutions) for branch in stage.branches] for stage in stages],
    }
    writer = Writer()
    for convolution in _in_order(networks):
        _put(writer, convolution)
    arrays: dict[str, npt.NDArray[Any]] = {
        "inverse_gain": networks.synthesis.inverse_gain,
        "basis": networks.synthesis.basis,
        "step": networks.synthesis.step,
        "hyper/inverse_gain": networks.hyper.inverse_gain,
        "hyper/level_bias": networks.hyper.level_bias,
        "detail/level_bias": networks.detail_heads.level_bias,
        "detail/offset": networks.detail_heads.offset,
        "z/offsets": networks.z_tables.offsets,
    }
    arrays |= {f"level_bias/{number}": stage.level_bias for number, stage in enumerate(stages)}
    sections = {f"decode/{name}": pack_array(narrow(array)) for name, array in arrays.items()}
    sections["decode/z/counts"] = pack_array(networks.z_tables.counts)
    sections["decode/gaussians"] = pack_array(np.concatenate(networks.gaussians.counts))
    return described, {**sections, CONVOLUTIONS: writer.getvalue()}


def _in_order(networks: ExactPhoto) -> list[ExactConvolution]:
    """Every convolution, in the order of the section."""
    found = [networks.synthesis.enter]
    for stage in networks.synthesis.stages:
        found += [convolution for branch in stage.branches for convolution in branch.convolutions]
        found.append(stage.leave)
    found += networks.hyper.layers
    for nets in networks.base_heads.nets:
        found += (*nets.others, nets.even, *nets.join)
    for halves in networks.detail_heads.halves:
        for half in halves:
            found += (*half.near, *half.join)
    return [*found, *networks.detail_heads.summary]


def _put(writer: Writer, convolution: ExactConvolution) -> None:
    kernel, _, channels, out = convolution.weights.shape
    shared = len(np.unique(convolution.limit)) == 1
    writer.u8(kernel)
    writer.u16(channels)
    writer.u16(out)
    writer.u8(RELU * convolution.relu + ONE_LIMIT * shared)
    writer.u8(convolution.input_shift)
    writer.raw(convolution.limit[: 1 if shared else channels].astype("<u4").tobytes())
    writer.raw(convolution.shift.astype(np.uint8).tobytes())
    writer.raw(convolution.bias.astype("<i8").tobytes())
    flat = np.ascontiguousarray(convolution.weights.transpose(3, 0, 1, 2)).ravel()
    low_bits = max(0, int(np.abs(flat.astype(np.int32)).max(initial=0)).bit_length() + 1 - HIGH_BITS)
    coded = deflated((flat >> low_bits).astype(np.int8).tobytes())
    writer.u8(low_bits)
    writer.u32(len(coded))
    writer.raw(coded)
    for bit in range(low_bits):
        writer.raw(np.packbits((flat >> bit & 1).astype(np.uint8)).tobytes())


class _Convolutions:
    """The section, read one by one."""

    def __init__(self, data: Buffer) -> None:
        self._reader = Reader(data)
        self._left = MAX_WEIGHT_NUMBERS

    def take(self) -> ExactConvolution:
        """The next one. Raises FormatError's children, NotExact."""
        reader = self._reader
        kernel, channels, out = reader.u8("kernel"), reader.u16("channels"), reader.u16("outputs")
        if not (kernel in (1, 3, 5) and 1 <= channels <= MAX_CHANNELS and 1 <= out <= MAX_CHANNELS):
            raise BadField(
                f"convolution before offset {reader.offset}: {kernel}x{kernel}, {channels} to {out} channels"
            )
        size = kernel * kernel * channels * out
        if size > self._left:
            raise LimitExceeded(f"convolutions: more than {MAX_WEIGHT_NUMBERS} weights")
        self._left -= size
        flags, input_shift = reader.u8("flags"), reader.u8("input shift")
        if flags & ~(RELU | ONE_LIMIT):
            raise BadField(f"convolution before offset {reader.offset}: unknown flags {flags}")
        limits = 1 if flags & ONE_LIMIT else channels
        claimed = np.frombuffer(reader.take(4 * limits, "limits"), "<u4")
        shift = np.frombuffer(reader.take(out, "shifts"), np.uint8).astype(np.int64)
        bias = np.frombuffer(reader.take(8 * out, "biases"), "<i8").astype(np.int64)
        weights = self._weights(size).reshape(out, kernel, kernel, channels).transpose(1, 2, 3, 0)
        limit = np.broadcast_to(np.minimum(claimed, np.iinfo(np.int32).max), channels).astype(np.int32)
        return ExactConvolution(weights, bias, shift, limit, bool(flags & RELU), input_shift)

    def _weights(self, size: int) -> npt.NDArray[np.int16]:
        reader = self._reader
        low_bits = reader.u8("low bits")
        if low_bits > MAX_LOW_BITS:
            raise BadField(f"convolution before offset {reader.offset}: {low_bits} low bits, at most {MAX_LOW_BITS}")
        coded = reader.take(reader.u32("length of high bits"), "high bits")
        flat = np.frombuffer(inflated(coded, size, "high bits"), np.int8).astype(np.int16) << low_bits
        for bit in range(low_bits):
            plane = np.frombuffer(reader.take(-(-size // 8), "low bits"), np.uint8)
            flat |= np.unpackbits(plane, count=size).astype(np.int16) << bit
        return flat

    def several(self, count: int) -> tuple[ExactConvolution, ...]:
        """The next ones."""
        return tuple(self.take() for _ in range(count))

    def end(self) -> None:
        """Raises TrailingData."""
        self._reader.end("convolutions")


def unpack_networks(described: dict[str, Any], sections: Mapping[str, Buffer]) -> ExactPhoto:
    """The inverse of pack_networks. Raises FormatError's children, NotExact; KeyError for a missing section."""
    _check(described)
    tables, convolutions = _Tables(sections, described["levels"]), _Convolutions(sections[CONVOLUTIONS])
    base_slices, detail_slices = tuple(described["base_slices"]), tuple(described["detail_slices"])
    synthesis = _synthesis(convolutions, tables, described["branches"], sum(base_slices), sum(detail_slices))
    layers = convolutions.several(HYPER_LAYERS)
    hyper = ExactHyper(
        inverse_gain=tables.of_levels("hyper/inverse_gain", layers[0].weights.shape[2]),
        layers=layers,
        level_bias=tables.of_levels("hyper/level_bias", layers[2].weights.shape[3]),
    )
    base_heads = ExactBaseHeads(base_slices, tuple(_base_slice(convolutions, k) for k in range(len(base_slices))))
    halves = tuple((_half(convolutions, k > 0), _half(convolutions, True)) for k in range(len(detail_slices)))
    first, second = convolutions.several(2)
    convolutions.end()
    detail_heads = ExactDetailHeads(
        sizes=detail_slices,
        summary=(first, second),
        level_bias=tables.of_levels("detail/level_bias", second.weights.shape[3]),
        offset=tables.of_levels("detail/offset", sum(detail_slices)),
        halves=halves,
    )
    offsets = tables.array("z/offsets", layers[0].weights.shape[2])
    z_tables = CodingTables(offsets, unpack_array(sections["decode/z/counts"]), np.ones(len(offsets), np.bool_))
    gaussians = GaussianTables(_gaussian_rows(unpack_array(sections["decode/gaussians"])))
    return ExactPhoto(synthesis, hyper, base_heads, detail_heads, z_tables, gaussians, described["silent"])


@dataclass(frozen=True, slots=True)
class _Tables:
    """The arrays of a model of so many levels."""

    sections: Mapping[str, Buffer]
    levels: int

    def array(self, name: str, *shape: int) -> Int32:
        """An array of this shape, of any integers that 32 bits hold. Raises FormatError's children, KeyError."""
        found = unpack_integers(self.sections[f"decode/{name}"], name)
        limits = np.iinfo(np.int32)
        if found.shape != shape or not (limits.min <= found.min(initial=0) and found.max(initial=0) <= limits.max):
            raise BadField(f"section decode/{name}: shape {found.shape}, expected {shape} of 32 bits")
        return found.astype(np.int32)

    def of_levels(self, name: str, *shape: int) -> Int32:
        """An array with a row for each level."""
        return self.array(name, self.levels, *shape)


def _synthesis(
    convolutions: _Convolutions, tables: _Tables, branches: list[list[int]], base: int, detail: int
) -> ExactSynthesis:
    enter = convolutions.take()
    stages = []
    for number, counts in enumerate(branches):
        made = tuple(ExactBranch(convolutions.several(count)) for count in counts)
        leave = convolutions.take()
        stages.append(ExactStage(tables.of_levels(f"level_bias/{number}", leave.weights.shape[2]), made, leave))
    return ExactSynthesis(
        inverse_gain=tables.of_levels("inverse_gain", base),
        enter=enter,
        stages=(stages[0], stages[1], stages[2]),
        basis=tables.array("basis", detail // BLOCKS_A_POSITION, COLOURS * DETAIL_BLOCK**2),
        step=tables.of_levels("step"),
    )


def _base_slice(convolutions: _Convolutions, number: int) -> ExactBaseSlice:
    others = convolutions.several(2 if number else 0)
    return ExactBaseSlice(others, convolutions.take(), convolutions.several(BASE_LAYERS))


def _half(convolutions: _Convolutions, has_near: bool) -> ExactDetailHalf:
    near = convolutions.several(2 if has_near else 0)
    return ExactDetailHalf(near, convolutions.several(DETAIL_LAYERS))


def _gaussian_rows(counts: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint32], ...]:
    """Rows of even length, each of which sums to 2^24."""
    if counts.dtype != np.uint32 or counts.ndim != 1:
        raise BadField("section decode/gaussians: expected counts of 32 bits in a row")
    ends = np.flatnonzero(np.cumsum(counts.astype(np.uint64)) % (1 << 24) == 0) + 1
    if len(ends) != TABLES:
        raise BadField(f"section decode/gaussians: {len(ends)} tables, expected {TABLES}")
    return tuple(np.split(counts, ends[:-1]))


def _check(described: dict[str, Any]) -> None:
    """What a description may say. Raises BadField."""
    expected = {"levels", "silent", "base_slices", "detail_slices", "branches"}
    if set(described) != expected:
        raise BadField(f"photograph model: expected the fields {sorted(expected)}, found {sorted(described)}")
    levels, silent = described["levels"], described["silent"]
    if not (type(levels) is int and type(silent) is int and 0 <= silent <= levels and 1 <= levels <= MAX_LEVEL + 1):
        raise BadField(f"photograph model: {levels!r} levels, {silent!r} of them without detail")
    for name in ("base_slices", "detail_slices"):
        slices = described[name]
        whole = all(type(channels) is int and 1 <= channels <= MAX_CHANNELS for channels in slices)
        if not whole or not 1 <= len(slices) <= MAX_SLICES:
            raise BadField(f"photograph model: {name} {slices!r}")
    if sum(described["detail_slices"]) % 4 or sum(described["detail_slices"]) > 768:
        raise BadField("photograph model: the detail's channels must be a multiple of 4, at most 768")
    branches = described["branches"]
    if len(branches) != 3 or any(
        len(stage) > MAX_BRANCHES or any(type(n) is not int or not 1 <= n <= MAX_BRANCH_LAYERS for n in stage)
        for stage in branches
    ):
        raise BadField(f"photograph model: branches {branches!r}")
