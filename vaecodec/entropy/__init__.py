"""Symbols and bytes: quantizer, integer coding tables, and the range coder with its pure-Python twin.

Reading order: tables, reference, coder, escape; quantizer. For many payloads at once lanes; for latents in groups
decode_order and shape_table. A coder takes integers and tables, never a network.
"""
