"""The paper's convolutional network, trained in six ways, each of which is a family. Its records load no torch.

vae, beta_vae, modified_beta_vae, capacity, decomposition, beta_vae_gan: a family's record each
record: what the records share      config: the table [objective]      model: the network
objective_capacity, objective_decomposition, objective_gan: steps of training that are not distortion + β · rate
"""
