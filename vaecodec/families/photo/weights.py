"""Weights as npz files of float16, in parts that a machine with a limit of 16 MB a file can give back.

state dict --save_weights--> NAME-0.npz, NAME-1.npz, ...      inside each, as arrays: "config", and "whole_sha256" of
                                                              all parts, for a kill may leave new ones beside old ones
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaecodec.errors import CheckpointError
from vaecodec.families.photo.config import PhotoConfig
from vaecodec.files.outputs import replacing

PART_BYTES = 15_000_000
CONFIG, WHOLE = "config", "whole_sha256"


def save_weights(folder: Path, name: str, config: PhotoConfig, state: Mapping[str, Tensor]) -> list[Path]:
    """Write every tensor of a state dict as float16; the files, each under 16 MB, replace those of that name."""
    parts: list[dict[str, Tensor]] = [{}]
    size_bytes = 0
    for key in sorted(state):
        more = 2 * state[key].numel()
        if size_bytes + more > PART_BYTES:
            parts.append({})
            size_bytes = 0
        parts[-1][key] = state[key]
        size_bytes += more
    paths = [folder / f"{name}-{number}.npz" for number in range(len(parts))]
    halves = [{key: tensor.detach().cpu().to(torch.float16).numpy() for key, tensor in p.items()} for p in parts]
    whole = hashlib.sha256()
    for array in (array for arrays in halves for array in arrays.values()):
        whole.update(array.tobytes())
    for path, arrays in zip(paths, halves, strict=True):
        arrays[CONFIG] = np.frombuffer(json.dumps(config.to_dict()).encode(), np.uint8)
        arrays[WHOLE] = np.frombuffer(whole.digest(), np.uint8)
        with replacing(path) as file:
            np.savez(file, **arrays)
    return paths


def load_weights(paths: Sequence[Path]) -> tuple[PhotoConfig, dict[str, Tensor]]:
    """All parts together, as float32. Raises CheckpointError for what is no such file, or parts of different nets."""
    state: dict[str, Tensor] = {}
    configs, wholes = [], []
    for path in paths:
        try:
            with np.load(path) as arrays:
                configs.append(json.loads(arrays[CONFIG].tobytes()))
                wholes.append(arrays[WHOLE].tobytes() if WHOLE in arrays.files else b"")  # older ones have none
                names = [key for key in arrays.files if key not in (CONFIG, WHOLE)]
                state.update({key: torch.from_numpy(arrays[key]).float() for key in names})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path}: not weights of a photograph model: {error}") from error
    if not configs or any(config != configs[0] for config in configs):
        raise CheckpointError(f"weights: expected parts of one network, found {len(configs)} that differ")
    if any(one != wholes[0] for one in wholes):
        raise CheckpointError("weights: the parts are of different checkpoints; train --resume writes them anew")
    return PhotoConfig.from_dict(configs[0]), state
