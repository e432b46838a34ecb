"""The model cards' figures, made from model files and records, so that no number in them is typed by hand.

    python -m benchmarks.model_cards [--check]

vaecodec/zoo/, results/photographs-kodak.json ──pages/model_cards.py──> docs/models/NAME.md, between its markers
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.pages.model_cards import pages
from benchmarks.pages.page import out_of_date, write_pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the blocks; with --check only say whether they are up to date (1 where they are not)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.model_cards", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    fresh = pages()
    if options.check:
        return int(bool(out_of_date(fresh)))
    write_pages(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
