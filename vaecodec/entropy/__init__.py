"""Symbols and bytes: quantizer, integer coding tables, and the range coder with its pure-Python twin.

Reading order: tables, reference, coder; quantizer. A coder takes integers and tables, never a network.
"""
