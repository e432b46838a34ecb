"""Zoo: the trained model files that ship with the package, each with its training record beside it."""
