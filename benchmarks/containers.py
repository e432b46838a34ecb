"""What 5,000 pictures take in the containers of docs/collections.md: containers.json, and the table of that page.

    python -m benchmarks.containers [--data mnist] [--model mnist] [--images 5000]

PNG files and streams of the model's default level, as files and in each container; needs pyarrow and lmdb. Bytes are of
whole files, each rounded up to a block of 4,096 where many files are compared ("on disk").
"""

import argparse
import io
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from vaecodec.archive.writer import ArchiveWriter
from vaecodec.arrays import Pixels
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset

PAGE = ROOT / "docs" / "collections.md"
BEGIN, END = "<!-- containers:begin -->\n", "<!-- containers:end -->"
DISK_BLOCK = 4096
MAP_BYTES = 1 << 28


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, store, and write the page's table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.containers", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--model", default="mnist")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--out", type=Path, default=RESULTS / "containers.json")
    options = parser.parse_args(arguments)
    images = load_dataset(options.data, "test").images[: options.images]
    codec = Codec.load(options.model)
    result: dict[str, Any] = {
        "data": {"name": options.data, "split": "test", "images": len(images)},
        "model": codec.model.name,
        "level": codec.model.default_level,
        "rows": measured(images, codec),
    }
    write_results(options.out, result, seed=None)
    if options.out == RESULTS / "containers.json":
        text = PAGE.read_text(encoding="utf-8")
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}{table(result)}{END}{after}", encoding="utf-8")
    print(f"{options.out}\n{table(result)}", end="")


def measured(images: Pixels, codec: Codec) -> list[dict[str, Any]]:
    """A row for each container: its name, its bytes with PNG files and with streams, None where that is not done."""
    level = codec.model.default_level
    pngs, streams = [png(image) for image in images], codec.compress_batch(images, level=level)
    with tempfile.TemporaryDirectory(prefix="vaecodec-containers-") as name:
        folder = Path(name)
        with ArchiveWriter.create(folder / "a.vaea", codec, level=level) as writer:
            writer.add_batch(images)
        np.savez_compressed(folder / "a.npz", images=images)
        rows = [
            ("files", sum(map(len, pngs)), sum(map(len, streams))),
            ("files, on disk", sum(map(on_disk, pngs)), sum(map(on_disk, streams))),
            ("archive .vaea", None, (folder / "a.vaea").stat().st_size),
            ("npz, deflated", (folder / "a.npz").stat().st_size, None),
        ]
        containers: list[tuple[str, Callable[[Path, list[bytes]], int]]] = [
            ("Parquet", parquet_bytes),
            ("tar (WebDataset)", tar_bytes),
            ("LMDB", lmdb_bytes),
        ]
        for what, size_of in containers:
            rows.append((what, size_of(folder / "png", pngs), size_of(folder / "vae", streams)))
    return [{"container": what, "png_bytes": of_png, "stream_bytes": of_streams} for what, of_png, of_streams in rows]


def png(image: Pixels) -> bytes:
    """A PNG file, as small as Pillow makes it."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def on_disk(data: bytes) -> int:
    """Of a file of its own."""
    return -(-len(data) // DISK_BLOCK) * DISK_BLOCK


def parquet_bytes(path: Path, values: list[bytes]) -> int:
    """Of a Parquet file of one binary column."""
    pyarrow.parquet.write_table(pyarrow.table({"image": values}), path, use_dictionary=False)
    return path.stat().st_size


def tar_bytes(path: Path, values: list[bytes]) -> int:
    """Of a tar with a member for each."""
    with tarfile.open(path, "w") as tar:
        for k, data in enumerate(values):
            member = tarfile.TarInfo(f"{k:06d}.{path.name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path.stat().st_size


def lmdb_bytes(path: Path, values: list[bytes]) -> int:
    """Of the pages in use of an LMDB store, with keys of four bytes in order."""
    with lmdb.open(f"{path}.lmdb", map_size=MAP_BYTES) as store:
        with store.begin(write=True) as writing:
            for k, data in enumerate(values):
                writing.put(k.to_bytes(4, "big"), data, append=True)
        return int((store.info()["last_pgno"] + 1) * store.stat()["psize"])


def table(result: dict[str, Any]) -> str:
    """The page's table, in kilobytes of 1,000."""
    lines = ["|  | PNG, kB | vaecodec, kB |", "|---|---:|---:|"]
    for row in result["rows"]:
        cells = ["" if size is None else f"{size / 1000:,.0f}" for size in (row["png_bytes"], row["stream_bytes"])]
        lines.append(f"| {row['container']} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
