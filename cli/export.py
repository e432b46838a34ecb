"""vaecodec export: the model file of a run, done or not."""

from __future__ import annotations

from pathlib import Path

import click

from .completion import complete_files
from .files import check_target, naming, say, write_bytes
from .options import data_options, parse_size, quiet_option
from .training import DataChoice


@click.command()
@click.argument("run", metavar="RUN", shell_complete=complete_files)
@click.argument("target", metavar="OUT", shell_complete=complete_files)
@click.option("--again", is_flag=True, help="Make the model file anew, even where the run has one.")
@click.option("-f", "--force", is_flag=True, help="Overwrite OUT.")
@data_options
@quiet_option
def command(
    run: str, target: str, again: bool, force: bool, data_dir: str | None, resize: str | None, grey: bool
) -> None:
    """Write the model file of the run folder RUN to OUT.

    `vaecodec train` leaves one in the folder, which is checked and copied. Where there is none, or with --again, it is
    made of the last checkpoint, also of a run that was interrupted: quantise, fit the tables, make the synthesis
    integer-exact. That takes a minute or more and needs the training images, which are read as train read them.
    """
    check_target(target, force)
    finished = None if again else finished_file(Path(run))
    data = (
        finished
        if finished is not None
        else remade(Path(run), DataChoice(data_dir, parse_size(resize), grey).or_stored(run))
    )
    write_bytes(target, data, force=force)
    say(f"{target}: {len(data)} bytes; `vaecodec models add {target}` installs it")


def finished_file(folder: Path) -> bytes | None:
    """The bytes of the run's model file, checked, or None where it is not there or older than the checkpoint."""
    from vaecodec.modelfile.installed import SUFFIX
    from vaecodec.modelfile.model import unpack_model
    from vaecodec.training.run_folder import CHECKPOINT, read_run_config

    path, checkpoint = folder / f"{read_run_config(folder).name}{SUFFIX}", folder / CHECKPOINT
    if not path.is_file() or (checkpoint.is_file() and checkpoint.stat().st_mtime_ns > path.stat().st_mtime_ns):
        return None
    data = path.read_bytes()
    with naming(str(path)):
        unpack_model(data)
    return data


def remade(folder: Path, choice: DataChoice) -> bytes:
    """The bytes of a model file made of the last checkpoint. Raises CheckpointError, DataError."""
    from vaecodec.training.run_folder import read_run_config

    from .training import load_images, quiet_libraries, require_training

    require_training()
    quiet_libraries()
    training, validation, _ = load_images(read_run_config(folder).data, choice)
    from vaecodec.modelfile.model import pack_model
    from vaecodec.training.run import export

    return pack_model(export(folder, training, validation))
