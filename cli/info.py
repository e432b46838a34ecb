"""vaecodec info: what a stream, a model file or an archive is, and what its bytes are spent on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from .boundary import plain
from .completion import complete_files
from .files import STANDARD, naming, print_json, read_bytes
from .options import model_option

if TYPE_CHECKING:
    from vaecodec.modelfile.model import Model

# The beginning of a section's name → what it is.
PARTS = {
    "decode/level": "tables",
    "encode/level": "quantizer",
    "decode/synthesis": "synthesis",
    "decode/priors": "priors",
    "decode/lossless": "lossless part",
    "encode/lossless": "lossless analysis",
}


@click.command()
@click.argument("source", metavar="FILE", shell_complete=complete_files)
@model_option("The model of a stream, where it is not installed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(source: str, model: str | None, as_json: bool) -> None:
    """Say what FILE, a stream, a model file or an archive, holds: model, geometry, bytes spent on what.

    A stream whose model is not installed is described as far as it can be, and not verified.
    """
    from vaecodec.bitstream.archive.limits import ARCHIVE_MAGIC
    from vaecodec.bitstream.container import CONTAINER_MAGIC
    from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES
    from vaecodec.bitstream.picture_stream import is_picture_stream
    from vaecodec.bitstream.stream import STREAM_MAGIC
    from vaecodec.errors import BadMagic

    from .archive import print_info

    if _is_archive(source):  # which may be larger than memory
        print_info(source, as_json, model)
        return
    with naming(source):
        data = read_bytes(source, MAX_CONTAINER_BYTES)
        if source == STANDARD and data.startswith(ARCHIVE_MAGIC):
            print_info(source, as_json, model, data)
            return
        if data[:4] == CONTAINER_MAGIC[:4]:
            found = model_info(data)
        elif is_picture_stream(data):
            found = picture_info(data, model)
        elif not data or data[0] & 0xF8 == STREAM_MAGIC:
            found = stream_info(data, model)
        else:
            raise BadMagic(f"neither a stream nor a model file, nor an archive: starts with {data[:8].hex()}")
    if as_json:
        print_json(found)
    else:
        _print(found)


def _is_archive(source: str) -> bool:
    from vaecodec.bitstream.archive.limits import ARCHIVE_MAGIC

    if "://" in source:  # an address, which only archives have
        return True
    if not os.path.isfile(source):  # pipes cannot be read twice, and archives are read by place
        return False
    with open(source, "rb") as file:
        return file.read(len(ARCHIVE_MAGIC)) == ARCHIVE_MAGIC


def stream_info(data: bytes, model: str | None) -> dict[str, Any]:
    """The fields of a stream. Raises FormatError's children, ModelMismatch, and ModelNotFound for `model`."""
    from vaecodec.bitstream.limits import CHECK_BYTES
    from vaecodec.bitstream.stream import CODING_NEAR_LOSSLESS, unpack
    from vaecodec.codec.codec import Codec
    from vaecodec.codec.stream_report import KIND_OF, kind_of, report_streams
    from vaecodec.errors import ModelNotFound

    from .choose import Codecs

    stream = unpack(data)
    sizes = {"size": 0 if stream.size is None else 2, "payload": len(stream.payload), "check": CHECK_BYTES}
    if stream.window is not None:
        sizes = {"window": len(stream.window.pack()), **sizes}
    if stream.coding == CODING_NEAR_LOSSLESS:
        sizes = {"max error": 1, **sizes}
    found: dict[str, Any] = {
        "kind": "stream",
        "version": stream.version,
        "model": None,
        "fingerprint": stream.short_fingerprint.hex(),
        "verified": False,
        "height": stream.size[0] if stream.size else None,
        "width": stream.size[1] if stream.size else None,
        "coding": kind_of(stream),
        **({} if stream.coding in KIND_OF else {"level": stream.coding}),
        **({"max_error": stream.max_error} if stream.max_error else {}),
        **({"window": str(stream.window)} if stream.window is not None else {}),
        "file_bytes": len(data),
        "bytes": {"header": len(data) - sum(sizes.values()), **sizes},
        "information_bits": None,
    }
    try:
        codec = Codecs(model).for_stream(data)
    except ModelNotFound:
        if model is not None:
            raise
        return found
    assert isinstance(codec, Codec)  # of a stream of version 1 or 3
    codec.decompress(data)
    (report,) = report_streams(codec, [data])
    height, width = stream.size or codec.geometry
    return found | {
        "model": codec.model.name,
        "fingerprint": codec.fingerprint.hex(),
        "verified": True,
        "height": height,
        "width": width,
        "information_bits": report.information_bits,
        "bits": dict(report.spent),
    }


def picture_info(data: bytes, model: str | None) -> dict[str, Any]:
    """The fields of a stream of version 2. Raises FormatError's children, ModelMismatch, ModelNotFound for `model`."""
    from vaecodec.bitstream.limits import PICTURE_CHECK_BYTES
    from vaecodec.bitstream.picture_stream import PICTURE_VERSION, unpack_picture
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.errors import ModelNotFound

    from .choose import Codecs

    stream = unpack_picture(data)
    payload = sum(map(len, stream.payloads))
    around = len(data) - payload - PICTURE_CHECK_BYTES
    found: dict[str, Any] = {
        "kind": "stream",
        "version": PICTURE_VERSION,
        "model": None,
        "fingerprint": stream.short_fingerprint.hex(),
        "verified": False,
        "height": stream.size[0],
        "width": stream.size[1],
        "grey": stream.grey,
        "level": stream.level,
        "regions": len(stream.payloads),
        "chunks": ", ".join(stream.chunks) or "none",
        **({"window": str(stream.window)} if stream.window is not None else {}),
        "file_bytes": len(data),
        "bytes": {"header and chunks": around, "payload": payload, "check": PICTURE_CHECK_BYTES},
        "information_bits": None,
    }
    try:
        codec = Codecs(model).for_stream(data)
    except ModelNotFound:
        if model is not None:
            raise
        return found
    assert isinstance(codec, PhotographCodec)  # of a stream of version 2
    bits = codec.spent(data)
    return found | {
        "model": codec.model.name,
        "fingerprint": codec.fingerprint.hex(),
        "verified": True,
        "information_bits": bits.total,
        "bits": {"hyperlatents": bits.hyper, "base": float(bits.base.sum()), "detail": float(bits.detail.sum())},
    }


def model_info(data: bytes) -> dict[str, Any]:
    """The description of a model file, everything in it checked. Raises FormatError's children, NotExact."""
    from vaecodec.bitstream.container import unpack_container
    from vaecodec.modelfile.model import unpack_model
    from vaecodec.modelfile.summary import summarise

    if summarise(data).is_photograph:
        return photograph_model_info(data)
    model = unpack_model(data)
    spent = dict.fromkeys(("tables", "synthesis", "known answer", "analysis", "quantizer"), 0)
    for name, section in unpack_container(data)[1].items():
        side, part = name.split("/")[:2]
        key = PARTS.get(f"{side}/{part}", "analysis" if side == "encode" else "known answer")
        spent[key] = spent.get(key, 0) + section.nbytes
    training = model.about.get("data", {})
    return {
        "kind": "model",
        "model": model.name,
        "family": model.family,
        "fingerprint": model.fingerprint.hex(),
        "height": model.height,
        "width": model.width,
        "latents": model.latents,
        "coded_latents": [int(level.tables.coded.sum()) for level in model.levels],
        "betas": [level.beta for level in model.levels],
        **_lossless_info(model),
        "trained_on": _as_text(training.get("source")) if isinstance(training, dict) else None,
        "file_bytes": len(data),
        "bytes": {**spent, "header and padding": len(data) - sum(spent.values())},
    }


def photograph_model_info(data: bytes) -> dict[str, Any]:
    """The description of a photograph model's file, all of it checked. Raises FormatError's children, NotExact."""
    from vaecodec.bitstream.container import unpack_container
    from vaecodec.codec.photograph import PhotographCodec
    from vaecodec.photo.model import PhotoModel

    codec = PhotographCodec(PhotoModel.from_bytes(data))
    codec.prove()
    spent = dict.fromkeys(("decode", "encode"), 0)
    for name, section in unpack_container(data)[1].items():
        spent[name.partition("/")[0]] += section.nbytes
    training = codec.model.about.get("data", {})
    return {
        "kind": "photograph model",
        "model": codec.model.name,
        "family": codec.model.family,
        "fingerprint": codec.fingerprint.hex(),
        "size": "any",
        "betas": list(codec.model.betas),
        "trained_on": _as_text(training.get("source")) if isinstance(training, dict) else None,
        "file_bytes": len(data),
        "bytes": {
            "networks and tables": spent["decode"],
            "analysis": spent["encode"],
            "header and padding": len(data) - sum(spent.values()),
        },
    }


def _as_text(told: object) -> str | None:
    """What the maker of a model file told, who may have told anything: as text, or as the JSON it is."""
    return told if told is None or isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def _lossless_info(model: Model) -> dict[str, Any]:
    if model.lossless is None:
        return {}
    return {
        "lossless_bit_depth": model.lossless.likelihood.bit_depth,
        "lossless_latents": model.lossless.tables.n,
        "lossless_coded_latents": int(model.lossless.tables.coded.sum()),
    }


def _print(found: dict[str, Any]) -> None:
    for key, value in found.items():
        if isinstance(value, dict):
            for part, spent in value.items():
                click.echo(
                    f"{'  ' + part:<20}{spent:>10} bytes" if key == "bytes" else f"{'  ' + part:<20}{spent:>10.1f} bits"
                )
            continue
        if isinstance(value, list):
            value = ", ".join(f"{item:g}" for item in value)
        shown = {None: "unknown (its model is not installed)", True: "yes", False: "no: its model is not installed"}
        text = shown[value] if value is None or isinstance(value, bool) else plain(str(value))
        click.echo(f"{key.replace('_', ' '):<20}{text}")
