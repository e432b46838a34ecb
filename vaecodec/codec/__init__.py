"""One image: pixels become symbols, a payload, a stream, and come back.

Reading order: codec (the facade), target, images, lossy with analysis, synthesis and groups; received; then lossless,
search, effort, quality; choice finds a model, stream_report says what a stream is. docs/architecture.md leads through.
A picture of any kind: picture, with its metadata and alpha; refusals says what no codec takes, and what to do;
photograph codes pictures of any size; kind tells which are not for a model of one geometry, special what such a model
takes of a picture; window chooses which values of more than 8 bits are kept, windows_of_streams finds them again;
notebook is what notebooks show of codecs and archives.
"""
