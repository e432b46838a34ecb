"""The command line, installed as vaecodec.cli: main.py is the door, every other public file is one command.

    main.py ──lazily──> compress.py decompress.py info.py models.py train.py export.py evaluate.py
       └── boundary.py: what goes wrong becomes one line on stderr and an exit code

A command parses, calls the library and prints: data on stdout, talk on stderr.
"""
