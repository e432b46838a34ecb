"""The pages of results, made from what is stored, so that no number in them is typed by hand.

    python -m benchmarks.table [--check]

results/*.json ──pages/results_page.py──> docs/results.md, and the README between its results' markers
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages.page import out_of_date, write_pages
from benchmarks.pages.results_page import pages


def main(arguments: Sequence[str] | None = None) -> int:
    """Rewrite the page and the block; with --check only say whether they are up to date (1 where they are not)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    fresh = pages(RESULTS)
    if options.check:
        return int(bool(out_of_date(fresh)))
    write_pages(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())
