"""The command line, installed as vaecodec.cli. A command parses, calls the library and prints.

entry.py ──> main.py ──lazily──> compress  decompress  info  show  archive  models  evaluate  train  export
                │                report  figure  pairs                                          one file each
                │                for folders: compress_folder  decompress_folder  mirror
                │                for archive: archive_write  archive_sources  archive_extract  archive_names
                └── boundary.py: what goes wrong becomes one line on stderr and an exit code

Data goes to stdout, talk to stderr. Shared: options (of size and quality), choose (--model), files and pictures
(reading and writing), fidelity and misfit (how good it is), images and training (a data set for a model), subjects (a
model with images, for reports and figures), blocks (pictures in a terminal), progress.
"""
