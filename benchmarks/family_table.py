"""The families' tables, made from the stored rows, so that no number in them is typed by hand.

    python -m benchmarks.family_table [--check]

results/families/*.json, rotation-*.json, published-*.json ──pages/families_page.py──> docs/families.md, and the README
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages.families_page import pages
from benchmarks.pages.page import out_of_date, write_pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the page and the block; with --check only say whether they are up to date (1 where they are not)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.family_table", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    fresh = pages(RESULTS)
    if options.check:
        return int(bool(out_of_date(fresh)))
    write_pages(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
