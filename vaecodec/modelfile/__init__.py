"""A model file, one module for each part of it, and the models that are on this machine.

Reading order: model, levels, priors, lossless_part; lossless_sections and lossless_form, how a lossless part is stored;
analysis_weights, what an analysis is stored as; onnx_graph, what its graph may hold; onnx_session, how it is run;
summary, what a header alone says; derived, models made of models; installed, where models are found.
"""
