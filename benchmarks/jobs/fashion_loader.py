"""Fashion-MNIST's own files into an archive, and shuffled epochs of a DataLoader out of it: job-fashion-loader.json.

    python -m benchmarks.jobs.fashion_loader --model runs/fashion/fashion.vaem [--idx FILE] [--epochs 2] [--workers 2]

The archive is made by the command line, of the IDX file as Debian's dataset-fashion-mnist brings it and the labels that
lie beside it. The bars: every epoch has every picture once, with its own label; and the pictures are the ones of the
file, at 20 dB in the mean or better (a model of other pictures stays below 15). Needs torch. 1 where one is missed.
"""

import argparse
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.measuring.machine import RESULTS, ROOT, write_results
from vaecodec.archive.reader import Archive
from vaecodec.data.mnist import read_idx
from vaecodec.evaluation.distortion import mse, psnr_db_from_mse
from vaecodec.integrations.torch_dataset import ArchiveDataset

SEED = 0
BATCH = 128
LEAST_PSNR_DB = 20.0
FASHION = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the job, and store what it took."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jobs.fashion_loader", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--idx", type=Path, default=FASHION, help="images; labels lie beside them")
    parser.add_argument("--model", type=Path, required=True, help="of such pictures, as vaecodec train makes it")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "job-fashion-loader.json")
    options = parser.parse_args(arguments)
    images = read_idx(options.idx, dimensions=3)[0]
    labels = read_idx(options.idx.with_name(options.idx.name.replace("images-idx3", "labels-idx1")), dimensions=1)[0]
    with tempfile.TemporaryDirectory(prefix="vaecodec-fashion-") as name:
        path = Path(name) / "fashion.vaea"
        started = time.perf_counter()
        command = [sys.executable, "-m", "cli", "archive", "create", str(path), str(options.idx)]
        subprocess.run([*command, "--model", str(options.model)], cwd=ROOT, check=True)
        created_s = time.perf_counter() - started
        with Archive(path, model=options.model) as archive:
            psnr_db = float(psnr_db_from_mse(mse(images, np.asarray(archive)).mean()))
            epochs = [
                epoch(archive, labels, options.workers, torch.Generator().manual_seed(SEED + k))
                for k in range(options.epochs)
            ]
        result = {
            "images": len(images),
            "model": options.model.name,
            "file_bytes": path.stat().st_size,
            "created_s": created_s,
            "psnr_db": psnr_db if math.isfinite(psnr_db) else None,  # exact
            "least_psnr_db": LEAST_PSNR_DB,
            "epochs": epochs,
            "holds": psnr_db >= LEAST_PSNR_DB and all(one["holds"] for one in epochs),
        }
    write_results(options.out, result, seed=SEED)
    seconds = ", ".join(f"{one['seconds']:.1f} s" for one in epochs)
    print(f"{options.out}: {psnr_db:.2f} dB, epochs of {seconds}, {'as it should be' if result['holds'] else 'MISSED'}")
    return 0 if result["holds"] else 1


def epoch(archive: Archive, labels: Any, workers: int, generator: torch.Generator) -> dict[str, Any]:
    """Seconds of a shuffled epoch, and whether each picture came once, with the label of the file."""
    decoded = np.asarray(archive)
    wanted = sorted((image.tobytes(), int(label)) for image, label in zip(decoded, labels, strict=True))
    started = time.perf_counter()
    loader = DataLoader(
        ArchiveDataset(archive), batch_size=BATCH, shuffle=True, num_workers=workers, generator=generator
    )
    batches = list(loader)
    elapsed_s = time.perf_counter() - started
    seen = sorted(
        (image.numpy().tobytes(), int(label))
        for pictures, classes in batches
        for image, label in zip(pictures, classes, strict=True)
    )
    return {"workers": workers, "seconds": elapsed_s, "holds": seen == wanted}


if __name__ == "__main__":
    sys.exit(main())
