"""Results as the benchmarks store them, and what may be said of their differences. No torch.

stored.py   a folder of results ──> runs, measured models, prices, and what is missing
noise.py    intervals over seeds, equal bytes, runs that are one run, rank correlation
"""
