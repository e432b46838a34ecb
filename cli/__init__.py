"""The command line, installed as vaecodec.cli. A command parses, calls the library and prints.

entry.py ──> main.py ──lazily──> compress  decompress  info  archive  models  evaluate  train  train_photographs  export
                │                         report  figure  pairs  show, on subjects    (the `report` extra)
                │                for folders: compress_folder  decompress_folder  mirror  evaluate_pictures
                 │                for archive: archive_write  archive_writing  archive_shards  archive_sources
                 │                             archive_fidelity  archive_extract  archive_outputs  archive_names
                └── boundary.py: what goes wrong becomes one line on stderr and an exit code

Data goes to stdout, talk to stderr. Shared: options (of size and quality), choose (--model), files and pictures
(reading and writing), fidelity and misfit (how good it is), images and training (a data set for a model), progress,
blocks (pictures in a terminal), windows (--window), equal_errors (told once, with a count), completion (what the tab
key offers). Beside them: manual (man pages of all commands).
"""
