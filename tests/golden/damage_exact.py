"""Damaged files of models with a lossless part, by name as in damage.py. Damage is sealed again behind right checks."""

from collections.abc import Callable

import numpy as np
from damage import Meta, Sections, array, changed, flipped, without

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.stream import (
    CODING_LOSSLESS,
    CODING_NEAR_LOSSLESS,
    CODING_STORED,
    CODING_STORED_BITS,
    pack,
    unpack,
)
from vaecodec.codec.codec import Codec
from vaecodec.pixels.coder import encode_payloads
from vaecodec.pixels.near_lossless import Bins

LOSSLESS = "decode/lossless"


def damaged_exact_streams(codec: Codec, bits: Codec, digit: np.ndarray) -> dict[str, bytes]:
    """Made of sound streams of a digit (28, 28), and of a model of 1 bit."""
    good, near = codec.compress(digit, lossless=True), codec.compress(digit, max_error=3)
    payload = unpack(good).payload
    noise = np.arange(784).reshape(28, 28).astype(np.uint8)

    def sealed(coding: int, payload: bytes, size: tuple[int, int] | None = None, pixels: np.ndarray = digit) -> bytes:
        return pack(coding, codec.fingerprint, size, payload, pixels=pixels.tobytes())

    # Pixels outside of a written size must repeat its edge; these are the whole digit's.
    odd = codec.lossless.analyse([codec.frame.fit(digit)])
    loose = encode_payloads(codec.lossless.part, Bins(0), [1], odd, digit[None]).payloads[0]
    return {
        "BadChecksum-exact-flipped-check": flipped(good, len(good) - 1),
        "BadChecksum-exact-other-pixels": sealed(CODING_LOSSLESS, payload, pixels=digit ^ np.uint8(1)),
        "BadChecksum-exact-stored-flipped": flipped(sealed(CODING_STORED, noise.tobytes()), 40),
        "BadField-exact-coding-123": bytes([good[0], 123]) + good[2:],
        "BadField-exact-level-0": pack(0, codec.fingerprint, None, b""),
        "BadField-exact-error-0": near[:4] + b"\x00" + near[5:],
        "BadField-exact-error-128": near[:4] + b"\x80" + near[5:],
        "Truncated-exact-error": near[:4],
        "Truncated-exact-no-check": near[:7],
        "Truncated-exact-stored": sealed(CODING_STORED, noise.tobytes()[:-1]),
        "TrailingData-exact-stored": sealed(CODING_STORED, noise.tobytes() + b"\0"),
        "TrailingData-exact-stored-bits": sealed(CODING_STORED_BITS, bytes(99)),
        "NotCanonical-exact-stored-bits-as-bytes": sealed(CODING_STORED, bytes(784)),
        "NotCanonical-exact-payload-zero-byte": sealed(CODING_LOSSLESS, payload + b"\0"),
        "NotCanonical-exact-payload-longer-than-pixels": sealed(CODING_LOSSLESS, bytes(785)),
        "NotCanonical-exact-size-of-the-model": sealed(CODING_LOSSLESS, payload, size=(28, 28)),
        "NotCanonical-exact-loose-padding": sealed(CODING_LOSSLESS, loose, (20, 28), digit[:20]),
        "NotCanonical-bits-stored-padding": pack(CODING_STORED_BITS, bits.fingerprint, (9, 9), bytes(10) + b"\x81"),
        "ModelMismatch-exact-another-fingerprint": bytes([*good[:2], good[2] ^ 1, *good[3:]]),
        "NotCanonical-exact-near-payload": pack(
            CODING_NEAR_LOSSLESS, codec.fingerprint, None, payload + b"\1", max_error=3, pixels=digit.tobytes()
        ),
    }


def rescale(key: str, **values: int) -> Callable[[Meta, Sections], None]:
    """Set fields of the last rescale of the map network, or of phase 0."""

    def apply(meta: Meta, sections: Sections) -> None:
        found = meta["decode"]["lossless"][key]
        ops = found if key == "map" else found[0]
        [op for op in ops if op["op"] == "rescale"][-1].update(values)

    return apply


def lossless(**values: object) -> Callable[[Meta, Sections], None]:
    return lambda meta, sections: meta["decode"]["lossless"].update(values)


def no_latents(meta: Meta, sections: Sections) -> None:
    """The map's network takes nothing."""
    for name in ("offsets", "counts", "coded", "map/low", "map/high"):
        sections[f"{LOSSLESS}/{name}"] = pack_array(unpack_array(sections[f"{LOSSLESS}/{name}"])[:0])
    for name in ("center", "step"):
        sections[f"encode/lossless/{name}"] = pack_array(unpack_array(sections[f"encode/lossless/{name}"])[:0])
    sections[f"{LOSSLESS}/known_answer"] = pack_array(np.zeros((64, 0), np.int8))
    weight = unpack_array(sections[f"{LOSSLESS}/map/0/weight"])
    sections[f"{LOSSLESS}/map/0/weight"] = pack_array(np.zeros((len(weight), 0), np.int8))


CHANGES: dict[str, Callable[[Meta, Sections], None]] = {
    "BadField-model-exact-bit-depth-2": lossless(bit_depth=2),
    "BadField-model-exact-bit-depth-text": lossless(bit_depth="8"),
    "BadField-model-exact-three-phases": lambda meta, sections: meta["decode"]["lossless"]["phases"].pop() and None,
    "BadField-model-exact-no-map": lambda meta, sections: meta["decode"]["lossless"].pop("map") and None,
    "BadField-model-exact-no-tables": without(f"{LOSSLESS}/counts"),
    "BadField-model-exact-no-quantizer": without("encode/lossless/step"),
    "BadField-model-exact-no-analysis": without("encode/lossless/analysis.onnx"),
    "BadField-model-exact-zero-counts-0": array(f"{LOSSLESS}/zero_counts", lambda c: c * 0),
    "BadField-model-exact-zero-counts-2-24": array(f"{LOSSLESS}/zero_counts", lambda c: c * 0 + 2**24),
    "BadField-model-exact-zero-counts-even": array(f"{LOSSLESS}/zero_counts", lambda c: c[1:]),
    "BadField-model-exact-zero-counts-wide": array(f"{LOSSLESS}/zero_counts", lambda c: c.astype(np.int64)),
    "BadField-model-exact-weights-0": array(f"{LOSSLESS}/weights", lambda w: w * 0),
    "BadField-model-exact-weights-2-21": array(f"{LOSSLESS}/weights", lambda w: w * 0 + 2**21),
    "BadField-model-exact-weights-fewer": array(f"{LOSSLESS}/weights", lambda w: w[1:-1]),
    "BadField-model-exact-value-counts-254": array(f"{LOSSLESS}/value_counts", lambda c: c[:, 1:]),
    "BadField-model-exact-value-counts-sum": array(f"{LOSSLESS}/value_counts", lambda c: c + 1),
    "BadField-model-exact-value-counts-1": array(
        f"{LOSSLESS}/value_counts", lambda c: np.concatenate([c[:, :1] * 0 + 1, c[:, 1:2] + c[:, :1] - 1, c[:, 2:]], 1)
    ),
    "BadField-model-exact-bases-fewer": array(f"{LOSSLESS}/value_counts", lambda c: c[1:]),
    "LimitExceeded-model-exact-logits": array(f"{LOSSLESS}/zero_counts", lambda c: np.resize(c, 2 * 4097 + 1)),
    "BadField-model-exact-map-beyond-255": rescale("map", high=256),
    "BadField-model-exact-logits-beyond-the-tables": rescale("phases", low=-256),
    "BadField-model-exact-known-answer-of-63": array(f"{LOSSLESS}/known_answer", lambda rows: rows[:63]),
    "BadField-model-exact-known-answer-text": lossless(known_answer={"one": "0", "all": "0"}),
    "NotCanonical-model-exact-unknown-key": lossless(more=1),
    "NotCanonical-model-exact-levels-1": lambda meta, sections: meta["decode"].update(levels=1),
    "BadField-model-exact-default-level-0": lambda meta, sections: meta["encode"].update(default_level=0),
    "BadField-model-exact-no-latents": no_latents,
    "BadField-model-exact-height-30": lambda meta, sections: meta["decode"].update(height=30),
    "NotCanonical-model-exact-unknown-section": lambda meta, sections: sections.update({f"{LOSSLESS}/more": b""}),
    "KnownAnswerMismatch-use-exact-hash": lossless(known_answer={"one": "0" * 64, "all": "0" * 64}),
}


def damaged_exact_models(good: bytes) -> dict[str, bytes]:
    """Made of a sound model of a lossless part alone."""
    return {name: changed(good, change) for name, change in CHANGES.items()}
