"""Benchmarks: scripts that print and store JSON and figures under results/, with command, machine and commit."""
