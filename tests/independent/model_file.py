"""A model file: geometry, levels, synthesis, lossless part, priors, fingerprint (section 10).

bytes --container--> meta, sections --> Model, every rule checked
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import canonical_json, container, networks
from tests.independent.arrays import Sections
from tests.independent.canonical_json import exactly, record, text, whole
from tests.independent.known_answer import KnownAnswer
from tests.independent.lossless_part import LosslessPart
from tests.independent.networks import Network
from tests.independent.packed_tables import read_packed
from tests.independent.priors import Priors
from tests.independent.quantizer import check_quantizer
from tests.independent.range_coder import RangeDecoder
from tests.independent.refusal import require
from tests.independent.tables import Tables

MAX_SIDE = 65535
COLOUR = 3
MAX_LEVELS = 112
MAX_LEVELS_ENTRIES = 16777216
PACKED_ABOVE = 16


@dataclass(frozen=True, slots=True)
class Model:
    """What decoding depends on; without levels there is no synthesis."""

    fingerprint: bytes
    height: int
    width: int
    channels: int
    levels: tuple[Tables, ...]
    synthesis: Network | None
    answer: KnownAnswer | None
    priors: Priors | None
    lossless: LosslessPart | None

    def check_levels(self, *, several: bool = False) -> None:
        """Refuses arithmetic that gives other pixels or other tables of groups, before one image or before several."""
        synthesis, answer = self.synthesis, self.answer
        if synthesis is not None and answer is not None:
            answer.require(lambda rows: [synthesis.run(rows)], several=several)
        if self.priors is not None:
            self.priors.check(several=several)

    def check_lossless(self, *, several: bool = False) -> None:
        """Refuses arithmetic that gives another most probable image."""
        if self.lossless is not None:
            self.lossless.answer.require(self.lossless.likeliest, several=several)

    def check(self) -> None:
        """All known answers."""
        for several in (False, True):
            self.check_levels(several=several)
            self.check_lossless(several=several)

    def decode_symbols(self, decoder: RangeDecoder, level: int) -> NDArray[np.int64]:
        """The symbols (n,) of one image, all groups."""
        if self.priors is None:
            return self.levels[level].decode(decoder)
        return self.priors.decode(decoder)

    def synthesise(self, symbols: NDArray[np.int64], level: int) -> NDArray[np.uint8]:
        """The image (height, width), or in colour (height, width, 3), of symbols (n,)."""
        assert self.synthesis is not None
        row = symbols
        if len(self.synthesis.low) > len(symbols):
            row = np.append(symbols, level)
        image = self.synthesis.run(row[np.newaxis])[0].astype(np.uint8)
        return image if self.channels == COLOUR else image[:, :, 0]


def read(data: bytes) -> Model:
    """The model that a file says."""
    held = container.read(data)
    sections = Sections(held.sections)
    decode = _decode_object(held.meta)
    height, width = (whole(decode[key], 1, MAX_SIDE, key) for key in ("height", "width"))
    channels = whole(decode["channels"], COLOUR, COLOUR, "channels") if "channels" in decode else 1
    levels = whole(decode["levels"], 0, MAX_LEVELS, "levels")
    check_encode(held.meta, levels)
    check_about(held.meta)
    tables = _read_tables(sections, levels)
    synthesis = _read_synthesis(decode, sections, tables, (height, width, channels)) if levels else None
    answer = None
    if synthesis is not None:
        inputs = len(synthesis.low)
        answer = KnownAnswer.read(decode["known_answer"], sections, "decode/known_answer", inputs)
    priors = _read_priors(decode, sections, tables, answer)
    lossless = LosslessPart.read(decode["lossless"], sections, height, width) if "lossless" in decode else None
    require(channels == 1 or lossless is None, "BadField", "a lossless part in colour")
    require(levels > 0 or lossless is not None, "BadField", "a model of no level and no lossless part")
    sections.refuse_others("decode/")
    return Model(fingerprint_of(held), height, width, channels, tables, synthesis, answer, priors, lossless)


def _decode_object(meta: dict[str, Any]) -> dict[str, Any]:
    require("decode" in meta, "BadField", 'no "decode"')
    decode = record(meta["decode"], "decode")
    keys = {"height", "width", "levels"}
    if decode.get("levels") != 0:
        keys |= {"synthesis", "known_answer"}
        keys |= {"priors"} & decode.keys()
    return exactly(decode, keys | ({"channels", "lossless"} & decode.keys()), "decode")


def check_encode(meta: dict[str, Any], levels: int) -> None:
    """Refuses a wrong part for compressing: β of each level, the default level."""
    require("encode" in meta, "BadField", 'no "encode"')
    encode = record(meta["encode"], "encode")
    betas = encode.get("betas")
    require(isinstance(betas, list), "BadField", "betas is no list")
    for beta in betas:
        require(type(beta) in {int, float}, "BadField", "a beta that is no number")
        require(0 <= beta < math.inf, "BadField", "a beta that is negative or infinite")
    require(len(betas) == levels, "NotCanonical", f"{len(betas)} betas for {levels} levels")
    if "default_level" in encode:
        whole(encode["default_level"], 1, levels - 1, "default_level")


def check_about(meta: dict[str, Any]) -> None:
    """Refuses a record of training without name or family."""
    require("about" in meta, "BadField", 'no "about"')
    about = record(meta["about"], "about")
    for key in ("name", "family"):
        require(key in about, "BadField", f'no "{key}"')
        text(about[key], key)


def _read_tables(sections: Sections, levels: int) -> tuple[Tables, ...]:
    tables, entries = [], 0
    for level in range(levels):
        prefix = f"decode/level/{level}/"
        if levels > PACKED_ABOVE:
            tables.append(read_packed(sections, prefix))
        else:
            tables.append(read_tables(sections, prefix))
        entries += tables[-1].entries
        require(entries <= MAX_LEVELS_ENTRIES, "LimitExceeded", f"{entries} counts of {level + 1} levels")
    sizes = {len(table.offsets) for table in tables}
    require(len(sizes) <= 1, "BadField", "levels of different latents")
    if tables:
        _check_quantizers(sections, levels, sizes.pop())
    return tuple(tables)


def read_tables(sections: Sections, prefix: str) -> Tables:
    """Tables that are stored whole."""
    offsets = sections.array(prefix + "offsets", "<i4", 1)
    counts = sections.array(prefix + "counts", "<u4", 2)
    return Tables.of(offsets, counts, sections.array(prefix + "coded", "u1", 1))


def _check_quantizers(sections: Sections, levels: int, latents: int) -> None:
    sections.take("encode/analysis.onnx")
    names = [f"encode/level/{level}/{field}" for level in range(levels) for field in ("center", "step")]
    if levels > PACKED_ABOVE and not any(sections.has(name) for name in names):
        return
    for level in range(levels):
        check_quantizer(sections, f"encode/level/{level}/", latents)


def _read_synthesis(
    decode: dict[str, Any], sections: Sections, tables: tuple[Tables, ...], shape: tuple[int, ...]
) -> Network:
    latents = len(tables[0].offsets)
    low, high = (sections.array(f"decode/synthesis/{field}", "<i4", 1) for field in ("low", "high"))
    require(len(low) == len(high), "BadField", "low and high of the synthesis differ in length")
    require(len(low) - latents in {0, 1}, "BadField", f"a synthesis of {len(low)} inputs for {latents} latents")
    network = networks.read(decode["synthesis"], sections, "decode/synthesis/", low, high)
    check_pixels(network, shape)
    return network


def check_pixels(network: Network, shape: tuple[int, ...]) -> None:
    """Refuses a result that is no pixels of this shape."""
    result = network.result
    require(result.shape == shape, "BadField", f"a result of shape {result.shape}, not {shape}")
    inside = (result.lo >= 0).all() and (result.hi <= 255).all()
    require(bool(inside), "BadField", "a result that leaves 0 to 255")


def _read_priors(
    decode: dict[str, Any], sections: Sections, tables: tuple[Tables, ...], answer: KnownAnswer | None
) -> Priors | None:
    if "priors" not in decode:
        return None
    assert answer is not None
    require(len(tables) == 1, "BadField", "priors with more than one level")
    latents = len(tables[0].offsets)
    require(answer.rows.shape[1] == latents, "BadField", "priors, and a synthesis that takes the level")
    return Priors.read(decode["priors"], sections, tables[0], answer.rows)


def fingerprint_of(held: container.Container) -> bytes:
    """A function of what decoding depends on (section 10)."""
    listed = [[name, digest] for name, digest in held.hashes.items() if name.startswith("decode/")]
    return hashlib.sha256(canonical_json.write([held.meta["decode"], listed])).digest()
