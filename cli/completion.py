"""What the tab key offers for an argument or the value of an option: names of models, files, or both.

In bash, `eval "$(_VAECODEC_COMPLETE=bash_source vaecodec)"` asks the program itself; click calls these functions then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    import click

FILE = "file"  # the shell itself completes what is of this type


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files and folders, as the shell completes them."""
    return [CompletionItem(incomplete, type=FILE)]


def complete_models(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names and aliases of the installed models, and files, which bash offers where no name fits.

    No model file is opened: that would take too long. Files stand first, since click's script for bash forgets what
    stands before them.
    """
    from vaecodec.modelfile.installed import SUFFIX, aliases, user_folder, zoo_folder

    folders = [folder for folder in (zoo_folder(), user_folder()) if folder.is_dir()]
    names = {path.stem for folder in folders for path in folder.glob(f"*{SUFFIX}")} | aliases().keys()
    fitting = [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
    return [*complete_files(context, parameter, incomplete), *fitting]
