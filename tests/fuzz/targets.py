"""What a fuzzer's bytes are given to, and what they grow from.

bytes --seal (where the first byte is even)--> a reader of the program: it returns, or raises an error of ours
"""

import gzip
import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import vaecodec
from tests.fuzz import samples
from tests.fuzz.seal import sealed_archive, sealed_container, sealed_picture, sealed_stream
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.data.mnist import read_idx
from vaecodec.data.npz import open_npz, read_array
from vaecodec.data.photographs import read_pack
from vaecodec.errors import VaecodecError
from vaecodec.modelfile.analysis_weights import Weights, pack_weights, unpack_weights
from vaecodec.modelfile.model import unpack_model
from vaecodec.modelfile.onnx_graph import check_graph
from vaecodec.photo.model import PhotoModel

FIXTURES = Path(__file__).parents[1] / "fixtures" / "data"
OF_STREAMS = ("tiny", "mini", "groups", "bits", "exact", "joined", "levels")


@dataclass(frozen=True, slots=True)
class Target:
    """read: raises VaecodecError alone. seeds: sound inputs."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    most_bytes: int


def _is_sealed(data: bytes) -> bool:
    return bool(data) and data[0] % 2 == 0


def _prefixed(files: list[bytes], number: int = 0) -> list[bytes]:
    """Each behind the byte that says how it is read: sealed, by the model of this number."""
    return [bytes([2 * number]) + file for file in files]


def read_stream(data: bytes) -> object:
    """The first byte names the model."""
    codec = samples.codecs()[OF_STREAMS[(data[0] >> 1) % len(OF_STREAMS)]] if data else samples.codecs()["tiny"]
    body = data[1:]
    return codec.decompress(sealed_stream(body, codec.fingerprint) if _is_sealed(data) and len(body) > 7 else body)


def stream_seeds() -> list[bytes]:
    found = samples.golden_streams()
    return [seed for number, name in enumerate(OF_STREAMS) for seed in _prefixed(list(found[name]), number)]


def read_picture(data: bytes) -> object:
    """A hostile size is bounded, so that what is tried are fields and payloads and not the patience of a fuzzer."""
    codec, body = samples.photograph_codec(), bytearray(data[1:])
    if len(body) > 13:
        body[6] &= 0x08  # sides of 255 or 2,303 pixels at most
        body[8] &= 0x08
    if _is_sealed(data) and len(body) > 13:
        return codec.decompress_picture(sealed_picture(bytes(body), codec.fingerprint))
    return codec.decompress_picture(bytes(body))


def read_archive(data: bytes) -> object:
    """Everything that an archive tells."""
    body = data[1:]
    if _is_sealed(data):
        body = sealed_archive(body, [codec.fingerprint for codec in samples.codecs().values() if _within(codec, body)])
    with samples.opened(body) as archive:
        for _ in archive.readable():
            pass
        archive.verify()
        for number in range(min(len(archive), 8)):
            for tell in (archive.names.__getitem__, archive.label):
                with suppress(VaecodecError):
                    tell(number)
        with suppress(VaecodecError):
            _ = archive.metadata
    return None


def _within(codec: vaecodec.Codec, data: bytes) -> bool:
    return codec.fingerprint in data


def read_model(data: bytes) -> object:
    """A model of one geometry, and a stream of zeros by it."""
    model = unpack_model(sealed_container(data[1:]) if _is_sealed(data) else data[1:])
    codec = vaecodec.Codec(model)
    return codec.lossy.decode_payload(b"") if model.levels else None


def read_photograph_model(data: bytes) -> object:
    """A photograph model and its known answers."""
    model = PhotoModel.from_bytes(sealed_container(data[1:]) if _is_sealed(data) else data[1:])
    PhotographCodec(model).prove()
    return None


def read_graph(data: bytes) -> object:
    return check_graph(data)


def graph_seeds() -> list[bytes]:
    codecs, photograph = samples.codecs(), samples.photograph_codec().model.encoder
    assert photograph is not None
    graphs = [codecs["exact"].model.lossless, codecs["bits"].model.lossless]
    return [photograph.hyper.graph, *(part.analysis.graph for part in graphs if part is not None)]


def read_weights(data: bytes) -> object:
    return unpack_weights(data)


def weights_seeds() -> list[bytes]:
    """One tensor of bytes and one of wide numbers."""
    numbers, scale = np.arange(-12, 12), np.array([0.5, -0.25], np.float32)
    tensors = [Weights("a", numbers.astype(np.int8).reshape(2, 3, 4), scale)]
    tensors.append(Weights("b", (numbers * 300).astype(np.int16).reshape(2, 12), scale))
    return [pack_weights(tensors), pack_weights(tensors[:1])]


def _in_a_file(data: bytes, name: str, read: Callable[[Path], object]) -> object:
    with TemporaryDirectory(dir=samples.memory_folder()) as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read(path)


def read_idx_file(data: bytes) -> object:
    return _in_a_file(data, "images", lambda path: read_idx(path, dimensions=3))


def idx_seeds() -> list[bytes]:
    whole = gzip.decompress((FIXTURES / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    small = whole[:4] + (2).to_bytes(4, "big") + whole[8 : 16 + 2 * 784]
    return [small, gzip.compress(small, mtime=0)]


def read_npz_file(data: bytes) -> object:
    """As data sets are read: an array of a known type and rank."""

    def read(path: Path) -> object:
        with open_npz(path) as archive:
            return read_array(archive, path, "blob", "u1", (-1,))

    return _in_a_file(data, "pack.npz", read)


def read_pack_file(data: bytes) -> object:
    return _in_a_file(data, "pack.npz", lambda path: read_pack(path, side=2))


def pack_seeds() -> list[bytes]:
    from PIL import Image

    encoded = []
    for form in ("PNG", "JPEG"):
        buffer = io.BytesIO()
        Image.fromarray(np.arange(12, dtype=np.uint8).reshape(2, 2, 3)).save(buffer, form)
        encoded.append(buffer.getvalue())
    packed = []
    for save in (np.savez, np.savez_compressed):
        buffer, ends = io.BytesIO(), np.cumsum([0, *map(len, encoded)]).astype(np.int64)
        save(buffer, blob=np.frombuffer(b"".join(encoded), np.uint8), offsets=ends)
        packed.append(buffer.getvalue())
    return packed


@cache
def targets() -> dict[str, Target]:
    """By name; models must be installed (samples.all_installed)."""
    files = samples.model_files()
    small = [files[name] for name in ("mini", "groups")]
    return {
        "stream": Target(read_stream, stream_seeds, 2_000),
        "picture": Target(read_picture, lambda: _prefixed(list(samples.picture_streams())), 2_000),
        "archive": Target(read_archive, lambda: _prefixed([s.data for s in samples.archives()]), 60_000),
        "model": Target(read_model, lambda: _prefixed([*small, files["bits"]]), 30_000),
        "photograph-model": Target(read_photograph_model, lambda: _prefixed([files[samples.PHOTOGRAPH]]), 120_000),
        "graph": Target(read_graph, graph_seeds, 20_000),
        "weights": Target(read_weights, weights_seeds, 20_000),
        "idx": Target(read_idx_file, idx_seeds, 4_000),
        "npz": Target(read_npz_file, pack_seeds, 4_000),
        "pack": Target(read_pack_file, pack_seeds, 4_000),
    }
