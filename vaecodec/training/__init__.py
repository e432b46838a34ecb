"""Training: from a config to a model file.

config.py         everything that decides a run  checks.py         what its numbers must keep
objective.py, conditioned.py    distortion + β · rate
batches.py        which images a step sees       loop.py           steps, validation, metrics
checkpoint.py     going on exactly               run.py            the whole way
latents.py, onnx_export.py, finish.py, finish_conditioned.py, record.py    the model file
descent.py        the loop of finishing          schedule.py       learning rate and β of a step
"""
