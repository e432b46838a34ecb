"""Integer networks: the same numbers on every machine, with every library and batch, which is proven before their use.

Reading order: ranges, operations, network, known_answer, stored_form; plan, steps and sums are the same network for
many rows, sooner; gradient is what effort moves symbols by. docs/format.md, section 11, is the specification.
"""
