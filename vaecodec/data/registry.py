"""load_dataset, load_splits: the one door to every data set, by name or as a folder of images.

"mnist"              official IDX files         "dsprites"            official npz, or a subset of it
"dsprites-rendered"  drawn, "procedural"        "dsprites-mixed"      real, and drawn beside them for training
any other path       a folder of images
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaecodec.data.download import ensure_dsprites, ensure_mnist
from vaecodec.data.dsprites import load_dsprites
from vaecodec.data.dsprites_factors import Rows
from vaecodec.data.dsprites_mixed import load_mixed
from vaecodec.data.dsprites_renderer import load_rendered
from vaecodec.data.folder import load_folder_splits
from vaecodec.data.image_set import ImageSet
from vaecodec.data.location import data_folder
from vaecodec.data.mnist import load_mnist
from vaecodec.data.splits import check_split
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a named data set: root holds `mnist/` and `dsprites/`, rows are of dSprites only."""

    root: Path
    split: str
    rows: Rows | None
    download: bool


Loader = Callable[[Request], ImageSet]
DATASETS: dict[str, Loader] = {}


def register(name: str, loader: Loader) -> None:
    """Give a data set its name; ConfigError where the name is taken."""
    if name in DATASETS:
        raise ConfigError(f"the data set {name!r} is registered already")
    DATASETS[name] = loader


def load_dataset(
    name_or_folder: str | os.PathLike[str],
    split: str,
    *,
    data_dir: str | os.PathLike[str] | None = None,
    rows: Rows | None = None,
    resize: tuple[int, int] | None = None,
    grey: bool = False,
    download: bool = True,
) -> ImageSet:
    """The "train", "validation" or "test" split of a data set, by its name or as a folder of images.

    A registered name comes first; a folder of the same name is reached as ./name.
    data_dir: holds `mnist/` and `dsprites/`; None means $VAECODEC_DATA, else the user's cache folder.
    rows: dSprites only, rows of the official data set to choose from. None means a fixed 61,440 of them, since all
        would take 3 GB, or the whole of a subset file.
    resize, grey: folders only, see `folder.load_folder`.
    download: fetch what is missing from its official address.
    DatasetMissing where the data is not there and cannot be fetched, BadDataset where it is damaged or the split is
    empty, ConfigError for an option that the data set does not have.
    """
    options = {"data_dir": data_dir, "rows": rows, "resize": resize, "grey": grey, "download": download}
    return load_splits(name_or_folder, (split,), **options)[0]  # type: ignore[arg-type]


def load_splits(
    name_or_folder: str | os.PathLike[str],
    splits: Sequence[str],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    rows: Rows | None = None,
    resize: tuple[int, int] | None = None,
    grey: bool = False,
    download: bool = True,
) -> tuple[ImageSet, ...]:
    """As load_dataset, of several splits: the images of a folder are read once."""
    for split in splits:
        check_split(split)
    loader = DATASETS.get(os.fspath(name_or_folder))
    if loader is None:
        folder = Path(name_or_folder).expanduser()
        found = load_unnamed(folder, splits, rows=rows, resize=resize, grey=grey)
    elif resize is not None or grey:
        raise ConfigError(f"{name_or_folder}: resize and grey are options of a folder of images")
    else:
        root = data_folder(data_dir)
        found = tuple(loader(Request(root, split, rows, download)) for split in splits)
    for images in found:
        if not len(images):
            raise BadDataset(f"{name_or_folder}: too few images: none falls into the split {images.split!r}")
    return found


def load_unnamed(
    folder: Path, splits: Sequence[str], *, rows: Rows | None, resize: tuple[int, int] | None, grey: bool
) -> tuple[ImageSet, ...]:
    """A folder of images; DatasetMissing, which lists the names there are, where it is not there."""
    if rows is not None:
        raise ConfigError(f"{folder}: rows is an option of dSprites")
    if not folder.exists():
        raise DatasetMissing(f"{folder}: neither a folder nor a data set; there are {', '.join(sorted(DATASETS))}")
    return load_folder_splits(folder, splits, resize=resize, grey=grey)


def _mnist(request: Request) -> ImageSet:
    if request.rows is not None:
        raise ConfigError("mnist: rows is an option of dSprites")
    folder = request.root / "mnist"
    if request.download:
        ensure_mnist(folder, request.split)
    return load_mnist(folder, request.split)


def _dsprites(request: Request) -> ImageSet:
    folder = request.root / "dsprites"
    if request.download:
        ensure_dsprites(folder)
    return load_dsprites(folder, request.split, rows=request.rows)


def _dsprites_rendered(request: Request) -> ImageSet:
    return load_rendered(request.split, rows=request.rows)


def _dsprites_mixed(request: Request) -> ImageSet:
    folder = request.root / "dsprites"
    if request.download:
        ensure_dsprites(folder)
    return load_mixed(folder, request.split, rows=request.rows)


register("mnist", _mnist)
register("dsprites", _dsprites)
register("dsprites-rendered", _dsprites_rendered)
register("dsprites-mixed", _dsprites_mixed)
