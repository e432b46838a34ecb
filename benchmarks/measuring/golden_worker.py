"""One engine of benchmarks.portability: decodes every golden file, and streams that another engine made.

    python -m benchmarks.measuring.golden_worker FOLDER [EVERY]

EVERY: only every so many of the golden photographs, and of the streams in the folder. FOLDER holds NAME.vae beside
NAME.npy, the pixels that the engine which made the stream decodes it to. Prints JSON: what computes here, how many
comparisons were made, which of them differ, and a digest of all that was decoded. Needs numpy: no ONNX Runtime, no
torch, and constriction only where it is installed.
"""

import ctypes
import hashlib
import json
import platform
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import vaecodec
from benchmarks.measuring.machine import ROOT
from vaecodec.bitstream.stream import CODED_EXACTLY, is_exact, pack, unpack
from vaecodec.entropy.coder import make_encoder
from vaecodec.entropy.reference import ReferenceEncoder
from vaecodec.pixels.coder import decode_payloads, encode_payloads
from vaecodec.pixels.near_lossless import Bins

GOLDEN = ROOT / "tests" / "golden"
CORE_NAMES = ("openblas_get_corename64_", "scipy_openblas_get_corename64_", "openblas_get_corename")
Found = tuple[str, bool, bytes]  # what was compared, whether it is the same, and the bytes that were found


def main(folder: Path, every: int = 1) -> None:
    """Compare all, and print what was found."""
    began, digest, names, different = time.monotonic(), hashlib.sha256(), [], []
    for name, same, data in found(folder, every):
        names.append(name)
        digest.update(data)
        different += [] if same else [name]
    print(
        json.dumps(
            {
                "python": platform.python_version(),
                "architecture": platform.machine(),
                "numpy": np.__version__,
                "blas_kernel": blas_kernel(),
                "coder": "pure Python" if make_encoder is ReferenceEncoder else "constriction",
                "comparisons": len(names),
                "different": different,
                "sha256": digest.hexdigest(),
                "elapsed_s": time.monotonic() - began,
            }
        )
    )


def found(folder: Path, every: int = 1) -> Iterator[Found]:
    """Every comparison, in an order that is the same everywhere."""
    for path in sorted(GOLDEN.glob("**/streams/*.bin")):
        yield from golden_stream(path)
    yield from golden_archive("discs", "tiny")
    yield from golden_archive("exact", "joined")
    (hashes,) = GOLDEN.glob("v2/hashes.json")
    codec = vaecodec.load("photo")
    for name, sha256 in list(json.loads(hashes.read_text())["sha256"].items())[::every]:
        pixels = codec.decompress(hashes.with_name(f"{name}.vae").read_bytes()).tobytes()
        yield f"photograph {name}", hashlib.sha256(pixels).hexdigest() == sha256, pixels
    for path in sorted(folder.glob("*.vae"))[::every]:
        image = vaecodec.load(path.stem.split("+")[0]).decompress(path.read_bytes())
        yield f"stream {path.stem}", np.array_equal(image, np.load(path.with_suffix(".npy"))), image.tobytes()


def golden_stream(path: Path) -> Iterator[Found]:
    """Its pixels, its symbols where it has some, and the bytes that these are encoded to again."""
    model, data, stored = golden_codec(path.stem.split("-")[0]), path.read_bytes(), np.load(path.with_suffix(".npz"))
    image = model.decompress(data)
    yield f"pixels of {path.stem}", np.array_equal(image, stored["pixels"]), image.tobytes()
    stream = unpack(data)
    if not is_exact(data):
        symbols = model.lossy.parse(data)[1]
        yield f"symbols of {path.stem}", np.array_equal(symbols, stored["symbols"]), symbols.tobytes()
        payload = model.lossy.encode_payload(stored["symbols"], stream.coding)
        again = pack(stream.coding, model.fingerprint, stream.size, payload, window=stream.window)
    elif stream.coding in CODED_EXACTLY:
        part, bins = model.lossless.part, Bins(stream.max_error)
        (payload,) = encode_payloads(part, bins, [1], *decode_payloads(part, bins, [1], [stream.payload])).payloads
        pixels = stored["pixels"].tobytes()
        error, window = stream.max_error, stream.window
        again = pack(
            stream.coding, model.fingerprint, stream.size, payload, max_error=error, pixels=pixels, window=window
        )
    else:
        return
    yield f"bytes of {path.stem}", again == data, again


def golden_archive(name: str, model: str) -> Iterator[Found]:
    """Every image of an archive."""
    (path,) = GOLDEN.glob(f"**/archives/{name}.vaea")
    stored = np.load(path.with_suffix(".npz"))
    with vaecodec.Archive(path, model=golden_codec(model)) as archive:
        for k, image in enumerate(archive):
            height, width = image.shape
            expected = stored["images"][k, :height, :width] if "images" in stored else stored[str(k)]
            yield f"image {k} of {name}.vaea", np.array_equal(image, expected), image.tobytes()


@cache
def golden_codec(name: str) -> vaecodec.Codec:
    """The codec of a golden model file."""
    (path,) = GOLDEN.glob(f"**/{name}.vaem")
    return vaecodec.Codec.load(path)


def blas_kernel() -> str:
    """What OpenBLAS says that it computes with; empty where numpy has another BLAS."""
    package = Path(np.__file__).parent
    for path in sorted(package.parent.glob("numpy.libs/*openblas*")):
        library: Any = ctypes.CDLL(str(path))
        for name in CORE_NAMES:
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                return re.sub(r"\W", "", function().decode())
    return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
