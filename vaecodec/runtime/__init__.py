"""Runtime: what compressing and decompressing need, without torch.

codec.py          Codec: images and bytes        rate_control.py   the level for a target
model_file.py     the model file                 installed.py      where models are found
exact.py, exact_ops.py, exact_ranges.py          the integer-exact evaluator, and what is proven of it
network_file.py   its form in the file           image_streams.py  many images at once
synthesis.py, exact_plan.py, exact_steps.py      symbols to pixels, few and many
analysis.py       the analysis graph             images.py         image files, and what becomes of colour
bulk.py           many streams at once           cores.py, blas.py  work on every core
archive*.py       many images in one file            join.py, strip.py  one model of two, or less of one
"""
