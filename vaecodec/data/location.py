"""Where data sets lie: the folder given, else $VAECODEC_DATA, else the user's cache folder."""

import os
from pathlib import Path

import platformdirs

ENVIRONMENT_VARIABLE = "VAECODEC_DATA"


def data_folder(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """The folder that holds `mnist/` and `dsprites/`; it need not exist yet."""
    if data_dir is not None:
        return Path(data_dir).expanduser()
    if value := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(value).expanduser()
    return Path(platformdirs.user_cache_dir("vaecodec")) / "data"
