"""What train and export share: the `train` extra, the images of a config, and how a training ends."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .boundary import Ended, Failure
from .files import say, write_bytes
from .images import check_grey

if TYPE_CHECKING:
    from vaecodec.data import ImageSet
    from vaecodec.recipes.family import AnyFamily

PACKAGES = ("torch", "torchvision", "compressai", "accelerate", "onnx", "onnxscript", "tqdm")
SPLITS = ("train", "validation", "test")
STORED = "data.json"  # of a run folder: how its images were read


@dataclass(frozen=True, slots=True)
class DataChoice:
    """--data-dir, --resize and --grey: how images are read, which a run folder keeps for --resume and export."""

    data_dir: str | None = None
    resize: tuple[int, int] | None = None
    grey: bool = False

    def store(self, folder: Path) -> None:
        """Write it into a run folder, which is made where it is not there."""
        from vaecodec.files.outputs import replacing

        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / STORED) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())

    def or_stored(self, folder: str | Path | None) -> DataChoice:
        """That of a run folder, where there is one and nothing else is asked for. Raises CheckpointError."""
        from vaecodec.errors import CheckpointError

        if folder is None or self != DataChoice() or not (path := Path(folder) / STORED).is_file():
            return self
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            resize = stored["resize"]
            return DataChoice(stored["data_dir"], None if resize is None else (resize[0], resize[1]), stored["grey"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise CheckpointError(f"{path}: does not say how the images were read ({error})") from error


def require_training() -> None:
    """Say at once, and not after minutes of reading data, that the `train` extra is missing."""
    missing = [package for package in PACKAGES if find_spec(package) is None]
    if missing:
        raise Failure(
            f"training needs {', '.join(missing)}: pip install 'vaecodec[train]' brings what is missing "
            "(Python 3.11 or 3.12)"
        )


def quiet_libraries() -> None:
    """What torch, its exporter and accelerate have to say of themselves is not for who trains a model."""
    warnings.filterwarnings("ignore", module=r"(torch|torchvision|accelerate|compressai|onnx|onnxscript|onnx_ir)\b")
    for name in ("torch", "accelerate", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)


def load_images(data: str, choice: DataChoice) -> tuple[ImageSet, ImageSet, ImageSet]:
    """The training, validation and test images, read once. Raises DataError, ConfigError."""
    from vaecodec.data import load_splits

    options = {"data_dir": choice.data_dir, "resize": choice.resize, "grey": choice.grey}
    training, validation, test = load_splits(data, SPLITS, **options)  # type: ignore[arg-type]
    return training, validation, test


def taken_images(family: AnyFamily, images: ImageSet) -> None:
    """Raises ImageModeError, which names the remedy, for colour that a family does not take."""
    if not family.colour:
        check_grey(images)


@contextmanager
def end_said(folder: Path) -> Iterator[None]:
    """What a signal has left is said, with the commands that go on from there."""
    from vaecodec.training.interrupt import Stopped

    go_on = f"`vaecodec train --resume --out {folder}` goes on"
    try:
        yield
    except Stopped as stopped:
        say(f"{stopped}; {go_on}, `vaecodec export {folder} FILE` makes a model of what there is")
        raise Ended(stopped.number) from stopped
    except (Ended, KeyboardInterrupt):  # outside of the steps: before the first, or while the model file is made
        say(go_on)
        raise


def show_curve(model_file: Path, test: ImageSet, folder: Path) -> None:
    """Say the model's curve on test images beside those of classical codecs; draw it as curve.png in the run folder."""
    from vaecodec.codec.codec import Codec
    from vaecodec.evaluation.figures.drawing import draw
    from vaecodec.evaluation.held_out import chart, few_of, measured_curves, table

    codec = Codec.load(model_file)
    if not codec.model.levels:
        return
    images = few_of(test.images)
    say(f"{len(images)} images that training has not seen; bytes of whole files at equal PSNR:")
    curves = measured_curves(codec, images)
    for line in table(curves):
        say(line)
    if find_spec("matplotlib") is None:
        say("pip install 'vaecodec[train]' brings matplotlib, which draws this")
        return
    path = folder / "curve.png"
    write_bytes(str(path), draw(chart(curves, len(images)), svg=False), force=True)
    say(f"drawn in {path}")
