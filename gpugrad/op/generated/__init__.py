"""The text of the functions that run: templates, and what fills them from the declarations.

A template is the text of a function with named holes (:func:`template.filled`).  Those of
elementwise operations stand in :mod:`pointwise`, those of all others in :mod:`whole`; what both
have in common, the recording of a node first of all, in :mod:`template`.
"""
