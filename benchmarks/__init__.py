"""Benchmarks: here the scripts, each of which writes JSON or figures into results/, with command, machine and commit.

Below them measuring/ (what several of them measure with), studies/ (the parts of single ones) and pages/ (tables,
figures and pages, made from the stored results). `make bench` runs what a machine without a GPU can do in an hour.
"""
