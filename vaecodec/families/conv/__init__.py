"""The paper's convolutional network, trained in six ways, each of which is a family.

NAME.py: a family's record.   record.py: what the records share.   config.py: [objective].   All without torch.
model.py: the network.   objective_NAME.py: the steps of training, where they are not distortion + β · rate.
"""
