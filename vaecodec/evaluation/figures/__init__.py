"""The paper's figures and ours, each one function that makes data, and one file that draws it. No torch.

registry.py              FIGURES: name, the paper's number, the function
subject.py               what they are made from: stored results, or a model at a level with images
chart, sheet, diagram    what they are as data: lines and points, pictures, boxes
drawing.py               matplotlib: SVG, PNG (the `report` extra)
system, clusters, reconstructions, traversals, losses, comparison, mean_latent, samples    one file a figure or two
pairs, stream            pairs that share one factor; one stream, looked into
"""
