"""Writes golden files with windows that are not there: streams of version 3, an archive, and damaged streams.

python tests/golden/make_windows.py

v3/ holds them (tests only read them), made with models of v1/:

streams/MODEL-WHAT.bin, .npz    a stream; the symbols of a lossy one, the pixels, and the values that these stand for
bad/<ErrorName>-<what>.bin      a damaged stream of tiny.vaem: what it must raise
archives/windowed.vaea, .npz    an archive made with tiny.vaem, and the values of its images by their numbers

They are frozen, as make.py says.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
V1, V3 = HERE / "v1", HERE / "v3"

from frozen import write, write_arrays  # noqa: E402
from make_archives import pictures  # noqa: E402

from vaecodec.archive.reader import Archive  # noqa: E402
from vaecodec.archive.writer import ArchiveWriter  # noqa: E402
from vaecodec.bitstream.stream import is_exact  # noqa: E402
from vaecodec.codec.codec import Codec  # noqa: E402


def windowed_streams(codec: Codec, **settings: Any) -> dict[str, bytes]:
    """Streams with windows: of integers, of a smaller image of floats, and of one value."""
    rows, columns = np.mgrid[:28, :28]
    spot = 100 + 3000 * np.exp(-((rows - 12) ** 2 + (columns - 15) ** 2) / 40)
    deep = {
        "windowed-uint16": (np.rint(spot).astype(np.uint16), "minmax"),
        "windowed-int32": (np.rint(spot * 1000 - 2e6).astype(np.int32), (-(10**6), 10**6)),
        "windowed-20x28-float32": ((spot[:20] / 4096).astype(np.float32), "percentile"),
        "windowed-one-value": (np.full((28, 28), 7, np.int16), "minmax"),
    }
    return {name: codec.compress(values, window=window, **settings) for name, (values, window) in deep.items()}


def damaged_windows(good: bytes) -> dict[str, bytes]:
    """Made of a sound stream of version 1: what is wrong with the window is found before the check."""
    return {
        "UnsupportedVersion-4": bytes([0xBC]) + good[1:],
        "BadField-window-of-no-type": windowed(good, b"\x08" + bytes(16)),
        "BadField-window-low-above-high": windowed(good, b"\x01\2\0\1\0"),
        "BadField-window-of-no-number": windowed(good, b"\x06\0\0\xc0\x7f\0\0\xc0\x7f"),
        "BadField-window-of-signed-zero": windowed(good, b"\x06\0\0\0\x80\0\0\x80\x3f"),
        "BadChecksum-window-put-in": windowed(good, b"\x01\0\0\1\0"),
        "Truncated-window": bytes([0xBB]) + good[1:4] + b"\x07" + bytes(6),
    }


def windowed(good: bytes, window: bytes) -> bytes:
    """The stream as version 3, with the check that it had."""
    return bytes([0xBB]) + good[1:4] + window + good[4:]


def make_archive(path: Path, codec: Codec) -> None:
    """A block with one window for all, one without, two with a window for each."""
    images = pictures(6)
    deep = images.astype(np.uint16) * 16 + 100
    with ArchiveWriter.create(path, codec, window=(100, 4095)) as writer:
        writer.add_batch(deep[:3])
        writer.add_batch(images[3:5])
    with ArchiveWriter.append(path, codec, window="minmax") as writer:
        writer.add_batch([deep[4], deep[5][:20, :9], (deep[5] / 4096).astype(np.float32)], ["a", "b", "c"])


def main() -> None:
    tiny, exact = (Codec.load(V1 / f"{name}.vaem") for name in ("tiny", "exact"))
    for codec, prefix, settings in ((tiny, "tiny", {}), (exact, "exact", {"lossless": True})):
        for name, data in windowed_streams(codec, **settings).items():
            write(V3 / "streams" / f"{prefix}-{name}.bin", data)
            stored = {"pixels": codec.decompress(data), "values": codec.restore(data)}
            if not is_exact(data):
                stored = {"symbols": codec.lossy.parse(data)[1], **stored}
            write_arrays(V3 / "streams" / f"{prefix}-{name}.npz", stored)
    for name, data in damaged_windows((V1 / "streams" / "tiny-digit-0.bin").read_bytes()).items():
        write(V3 / "bad" / f"{name}.bin", data)
    with tempfile.TemporaryDirectory() as folder:
        make_archive(made := Path(folder) / "windowed.vaea", tiny)
        write(V3 / "archives" / "windowed.vaea", made.read_bytes())
    with Archive(V3 / "archives" / "windowed.vaea", model=tiny) as archive:
        values = {str(k): archive.restore(k) for k in range(len(archive))}
    write_arrays(V3 / "archives" / "windowed.npz", values)


if __name__ == "__main__":
    main()
