"""The folder that a program run by ``python -m flambeau`` finds `torch` in, processes it starts too.

`flambeau.compat` says why.
"""
