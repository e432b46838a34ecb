"""Weights as npz files of float16, in parts that a machine with a limit of 16 MB a file can give back.

state dict --save_weights--> NAME-0.npz, NAME-1.npz, ...      config.json inside each as the array "config"
"""

from __future__ import annotations

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
CONFIG = "config"


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
    for path, part in zip(paths, parts, strict=True):
        arrays = {key: tensor.detach().cpu().to(torch.float16).numpy() for key, tensor in part.items()}
        arrays[CONFIG] = np.frombuffer(json.dumps(config.to_dict()).encode(), np.uint8)
        with replacing(path) as file:
            np.savez(file, **arrays)
    return paths


def load_weights(paths: Sequence[Path]) -> tuple[PhotoConfig, dict[str, Tensor]]:
    """All parts together, as float32. Raises CheckpointError for what is no such file, or parts of different nets."""
    state: dict[str, Tensor] = {}
    configs = []
    for path in paths:
        try:
            with np.load(path) as arrays:
                configs.append(json.loads(arrays[CONFIG].tobytes()))
                state.update({key: torch.from_numpy(arrays[key]).float() for key in arrays.files if key != CONFIG})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path}: not weights of a photograph model: {error}") from error
    if not configs or any(config != configs[0] for config in configs):
        raise CheckpointError(f"weights: expected parts of one network, found {len(configs)} that differ")
    return PhotoConfig.from_dict(configs[0]), state
