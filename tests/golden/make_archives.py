"""Writes golden archives that are not there: what they decode to for ever, and damaged ones. Tests only read them.

python tests/golden/make_archives.py

v1/archives/discs.vaea, discs.npz    an archive made with tiny.vaem, and its images, names and labels
v1/archives/exact.vaea, exact.npz    an archive made with joined.vaem: lossy, lossless, near-lossless, stored
v1/archives/bad/<ErrorName>-<what>.vaea    what opening it, or reading its last image, must raise

They are frozen, as make.py says.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from frozen import write, write_arrays  # noqa: E402

V1 = HERE / "v1"
ARCHIVES = V1 / "archives"


def pictures(n: int) -> np.ndarray:
    """uint8 (n, 28, 28): discs that look random and are the same for ever."""
    k = np.arange(n).reshape(-1, 1, 1)
    rows, columns = np.mgrid[:28, :28]
    distance = (rows - 6 - k * 7 % 16) ** 2 + (columns - 6 - k * 11 % 16) ** 2
    return np.clip(255 - distance * (3 + k % 5), 0, 255).astype(np.uint8)


def make_archive(path: Path) -> None:
    """Two segments, names, two columns of labels, a smaller image, metadata."""
    from vaecodec import ArchiveWriter, load

    codec, images = load(V1 / "tiny.vaem"), pictures(12)
    with ArchiveWriter.create(path, codec, block_images=4, metadata={"made by": "make_archives.py", "β": 1}) as writer:
        writer.add_batch(images[:6], [f"discs/{k}.png" for k in range(6)], [(k, -(10**k)) for k in range(6)])
        writer.add(images[6][:20, :9], "small", (6, 2**62))
    with ArchiveWriter.append(path, codec) as writer:
        writer.add_batch(images[7:])


def make_exact_archive(path: Path) -> None:
    """A block of each kind; among the lossless images are stored ones and a smaller one."""
    from vaecodec import ArchiveWriter, load
    from vaecodec.codec.target import Target

    codec, images = load(V1 / "joined.vaem"), pictures(10)
    k = np.arange(784).reshape(28, 28)
    noise = ((k * k * 7919 + k * 104729 + 31) % 65521 % 256).astype(np.uint8)
    with ArchiveWriter.create(path, codec, target=Target(max_error=0)) as writer:
        writer.add_batch([images[0], noise, images[1], images[2][:26], (k % 2 * 255).astype(np.uint8)])
        writer.add_batch([noise, noise[::-1]], ["stored", "upside down"])
        writer.add_batch(images[3:6], target=Target(max_error=7))
        writer.add_batch(images[6:8], level=0)


def damaged(data: bytes) -> dict[str, bytes]:
    """Name of a file in bad/, and its bytes."""
    header = data[:9]
    return {
        "BadMagic-png": b"\x89PNG\r\n\x1a\n" + data[8:-30],
        "UnsupportedVersion-2": header[:8] + b"\x02" + data[9:-1] + b"\x02",
        "Truncated-header": data[:7],
        "Truncated-no-block": data[:80],
        "BadChecksum-last-block": _flip_last_block(data),
    }


def _flip_last_block(data: bytes) -> bytes:
    at = data.rfind(b"\xb7\x3a\x80")
    return data[: at + 10] + bytes([data[at + 10] ^ 1]) + data[at + 11 :]


def written(make: Callable[[Path], None], name: str) -> Path:
    """The path of a golden archive, made in another place first."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / name
        make(made)
        write(ARCHIVES / name, made.read_bytes())
    return ARCHIVES / name


def main() -> None:
    from vaecodec import Archive

    path = written(make_archive, "discs.vaea")
    with Archive(path, model=V1 / "tiny.vaem") as archive:
        padded = np.zeros((len(archive), 28, 28), np.uint8)
        for k, image in enumerate(archive):
            padded[k, : image.shape[0], : image.shape[1]] = image
        names = np.array([name or "" for name in archive.names])
        labels = np.array([archive.label(k) for k in range(7)])
        write_arrays(path.with_suffix(".npz"), {"images": padded, "names": names, "labels": labels})
    for name, data in damaged(path.read_bytes()).items():
        write(ARCHIVES / "bad" / f"{name}.vaea", data)
    path = written(make_exact_archive, "exact.vaea")
    with Archive(path, model=V1 / "joined.vaem") as archive:
        write_arrays(path.with_suffix(".npz"), {str(k): image for k, image in enumerate(archive)})


if __name__ == "__main__":
    main()
