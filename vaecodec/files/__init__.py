"""The machine's files, for archives, data sets and the command line alike: nothing here knows what is in them.

depth.py     bits a channel of a picture's file, which Pillow may have dropped
inputs.py    a file that must be a regular one: a pipe in its place would be waited for without end
outputs.py   all of a file or nothing of it, never in the place of another unless asked; devices and pipes as they are
walk.py      the files below a folder, and what could not be read there
"""
