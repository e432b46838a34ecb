"""vaecodec: a learned image codec whose model is a β-VAE.

    codec = vaecodec.load("mnist")
    data = codec.compress(image)          # numpy uint8 (h, w) or a PIL image -> bytes
    image = codec.decompress(data)        # bytes -> numpy uint8 (h, w)

The public names load on first use: importing vaecodec loads neither torch, ONNX Runtime nor numpy. README.md lists the
rooms below this folder; beside them lie arrays (Pixels, Symbols, Size), cores, memory,
limits and errors.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from vaecodec.errors import VaecodecError

if TYPE_CHECKING:
    from vaecodec.archive.reader import Archive
    from vaecodec.archive.writer import ArchiveWriter
    from vaecodec.bitstream.window import Window
    from vaecodec.codec.codec import Codec, load

__all__ = ["Archive", "ArchiveWriter", "Codec", "VaecodecError", "Window", "__version__", "load"]

__version__ = "0.1.0"

_HOME_OF = {
    "Archive": "vaecodec.archive.reader",
    "ArchiveWriter": "vaecodec.archive.writer",
    "Codec": "vaecodec.codec.codec",
    "Window": "vaecodec.bitstream.window",
    "load": "vaecodec.codec.codec",
}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'vaecodec' has no attribute {name!r}")
    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
