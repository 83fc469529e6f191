"""The parsers, a module for each kind: `read` yields the text of a file piece by piece.

Only the process of its own imports them, and only the one that it needs. Nobody reads on behind the limit of
a text.
"""
