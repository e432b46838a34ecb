"""The official dSprites file, 3 GB unpacked, read as a stream of blocks of which only the asked rows are kept.

    imgs.npy --inflate--> 4,096 images --pack--> (m, 512) --the rows asked for--> (n, 512)
             (16 MB at a time)

We know of no published SHA-256 of this file, so its content is checked instead: type and shape, pixels 0 and 1 only,
zip's own CRC over every byte, the whole factor table, and the pixels of 24 rows known from real images.
The key `metadata` is a pickle, which is never opened: everything needed stands in the other keys.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaecodec.data.dsprites_factors import COUNT, FACTOR_SIZES, PACKED_BYTES, SIDE, classes_of, pack
from vaecodec.data.npz import expect_end, open_array, open_npz, read_array, read_header
from vaecodec.errors import BadDataset

BLOCK_ROWS = 4096  # a divisor of COUNT

# Row of the official file -> the first 16 hex digits of SHA-256 of its packed pixels.
KNOWN_ROWS = {
    0: "72ce20b4425ee404",
    31539: "adb1019f2aee127c",
    63208: "5c7b3b3229a1f435",
    95058: "6a86635347d12cd1",
    127446: "108fd629d0975105",
    160010: "18835106dc076072",
    191872: "9bd248e302f30dac",
    222361: "d0141338b793180a",
    254755: "796dd9c450a43235",
    287430: "9ac89308b96aee43",
    319878: "dc2aad6f7c25398e",
    352348: "3499d78b4ed20d51",
    385152: "d87ba5342a99abaf",
    417792: "fdf9dea048af63e4",
    447833: "f75840af97d2285b",
    479958: "38c6687352e3b89c",
    512520: "6e4af3f74b520a07",
    545050: "1ab0813d55b0f1fb",
    577562: "1128b1cd7ed4259a",
    607192: "f38279314f5402f9",
    639510: "ef7eaec2240a168e",
    672193: "508641b8c78996ff",
    704659: "114f202a8f130663",
    737215: "88a3e5ec6f717fca",
}


def read_official(path: Path, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Packed images uint8 (n, 512) of the given rows (rising); BadDataset where the file is not the official one."""
    kept = [np.zeros((0, PACKED_BYTES), dtype=np.uint8)]
    for start, packed in read_blocks(path):
        low, high = np.searchsorted(rows, (start, start + len(packed)))
        kept.append(packed[rows[low:high] - start])
    return np.concatenate(kept)


def check_official(path: Path) -> None:
    """BadDataset where the file is not the official one; reads it once from end to end."""
    for _ in read_blocks(path):
        pass


def read_blocks(path: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """(first row, packed images (m, 512)) for each block, everything checked on the way."""
    with open_npz(path) as archive:
        table = read_array(archive, path, "latents_classes", "i8", (COUNT, 1 + len(FACTOR_SIZES)))
        if table[:, 0].any() or (table[:, 1:] != classes_of(np.arange(COUNT, dtype=np.int64))).any():
            raise BadDataset(
                f"{path}: latents_classes: expected every combination of {FACTOR_SIZES} in row-major order"
            )
        with open_array(archive, path, "imgs") as stream:
            read_header(stream, path, "imgs", "u1", (COUNT, SIDE, SIDE))
            for start in range(0, COUNT, BLOCK_ROWS):
                body = stream.read(BLOCK_ROWS * SIDE * SIDE)
                if len(body) != BLOCK_ROWS * SIDE * SIDE:
                    raise BadDataset(f"{path}: imgs: the pixels end within the block of row {start}")
                yield start, check_block(np.frombuffer(body, dtype=np.uint8), start, path)
            expect_end(stream, path, "imgs")


def check_block(pixels: NDArray[np.uint8], start: int, path: Path) -> NDArray[np.uint8]:
    """The block's images packed, once their values and the rows that are known have been checked."""
    if pixels.max() > 1:
        raise BadDataset(f"{path}: imgs: expected pixels 0 and 1 in the block of row {start}, found {pixels.max()}")
    packed = pack(pixels.reshape(-1, SIDE, SIDE))
    for row, expected in KNOWN_ROWS.items():
        if start <= row < start + len(packed):
            found = hashlib.sha256(packed[row - start].tobytes()).hexdigest()[:16]
            if found != expected:
                raise BadDataset(f"{path}: imgs[{row}]: expected pixels with hash {expected}, found {found}")
    return packed
