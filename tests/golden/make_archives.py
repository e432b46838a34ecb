"""Writes new golden archives: what they decode to for ever, and damaged ones. Tests only read them.

python tests/golden/make_archives.py

tests/golden/archives/discs.vaea, discs.npz    an archive made with tiny.vaem, and its images, names and labels
tests/golden/archives/exact.vaea, exact.npz    an archive made with joined.vaem: lossy, lossless, near-lossless, stored
tests/golden/archives/windowed.vaea, windowed.npz    an archive made with tiny.vaem of deeper images, and their values
tests/golden/archives/bad/<ErrorName>-<what>.vaea    what opening it, or reading its last image, must raise

See make.py for when they may be made anew.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
ARCHIVES = HERE / "archives"


def pictures(n: int) -> np.ndarray:
    """uint8 (n, 28, 28): discs that look random and are the same for ever."""
    k = np.arange(n).reshape(-1, 1, 1)
    rows, columns = np.mgrid[:28, :28]
    distance = (rows - 6 - k * 7 % 16) ** 2 + (columns - 6 - k * 11 % 16) ** 2
    return np.clip(255 - distance * (3 + k % 5), 0, 255).astype(np.uint8)


def make_archive(path: Path) -> None:
    """Two segments, names, two columns of labels, a smaller image, metadata."""
    from vaecodec import ArchiveWriter, load

    codec, images = load(HERE / "tiny.vaem"), pictures(12)
    with ArchiveWriter.create(path, codec, block_images=4, metadata={"made by": "make_archives.py", "β": 1}) as writer:
        writer.add_batch(images[:6], [f"discs/{k}.png" for k in range(6)], [(k, -(10**k)) for k in range(6)])
        writer.add(images[6][:20, :9], "small", (6, 2**62))
    with ArchiveWriter.append(path, codec) as writer:
        writer.add_batch(images[7:])


def make_exact_archive(path: Path) -> None:
    """A block of each kind; among the lossless images are stored ones and a smaller one."""
    from vaecodec import ArchiveWriter, load
    from vaecodec.codec.target import Target

    codec, images = load(HERE / "joined.vaem"), pictures(10)
    k = np.arange(784).reshape(28, 28)
    noise = ((k * k * 7919 + k * 104729 + 31) % 65521 % 256).astype(np.uint8)
    with ArchiveWriter.create(path, codec, target=Target(max_error=0)) as writer:
        writer.add_batch([images[0], noise, images[1], images[2][:26], (k % 2 * 255).astype(np.uint8)])
        writer.add_batch([noise, noise[::-1]], ["stored", "upside down"])
        writer.add_batch(images[3:6], target=Target(max_error=7))
        writer.add_batch(images[6:8], level=0)


def make_windowed_archive(path: Path) -> None:
    """A block with one window for all, one with a window for each, one without."""
    from vaecodec import ArchiveWriter, load

    codec, images = load(HERE / "tiny.vaem"), pictures(6)
    deep = images.astype(np.uint16) * 16 + 100
    with ArchiveWriter.create(path, codec, window=(100, 4095)) as writer:
        writer.add_batch(deep[:3])
        writer.add_batch(images[3:5])
    with ArchiveWriter.append(path, codec, window="minmax") as writer:
        writer.add_batch([deep[4], deep[5][:20, :9], (deep[5] / 4096).astype(np.float32)], ["a", "b", "c"])


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


def main() -> None:
    from vaecodec import Archive

    (ARCHIVES / "bad").mkdir(parents=True, exist_ok=True)
    path = ARCHIVES / "discs.vaea"
    path.unlink(missing_ok=True)
    make_archive(path)
    with Archive(path, model=HERE / "tiny.vaem") as archive:
        padded = np.zeros((len(archive), 28, 28), np.uint8)
        for k, image in enumerate(archive):
            padded[k, : image.shape[0], : image.shape[1]] = image
        names = np.array([name or "" for name in archive.names])
        labels = np.array([archive.label(k) for k in range(7)])
        np.savez_compressed(path.with_suffix(".npz"), images=padded, names=names, labels=labels)
    for name, data in damaged(path.read_bytes()).items():
        (ARCHIVES / "bad" / f"{name}.vaea").write_bytes(data)
    path = ARCHIVES / "exact.vaea"
    path.unlink(missing_ok=True)
    make_exact_archive(path)
    with Archive(path, model=HERE / "joined.vaem") as archive:
        np.savez_compressed(path.with_suffix(".npz"), **{str(k): image for k, image in enumerate(archive)})
    path = ARCHIVES / "windowed.vaea"
    path.unlink(missing_ok=True)
    make_windowed_archive(path)
    with Archive(path, model=HERE / "tiny.vaem") as archive:
        np.savez_compressed(path.with_suffix(".npz"), **{str(k): archive.restore(k) for k in range(len(archive))})


if __name__ == "__main__":
    main()
