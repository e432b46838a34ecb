"""Training any family, from a config to a model file.

loop.py: steps, validation, metrics, exact resume.   run.py: the whole way, and the export of a run that is done.
run_folder.py: its files, and its config, without torch.
checkpoint.py, conditions.py: going on exactly where a run was; interrupt.py: ending it so that it can go on.
log.py: metrics.jsonl and the progress bar.   plan.py: how many steps fit into some minutes.
"""
