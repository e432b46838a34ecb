"""What several scripts measure with: models and codecs over images, runs and their rows, the machine, workers."""
