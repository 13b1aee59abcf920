"""The folder where a program run by ``python -m flambeau``, and its children, find `torch`.

`flambeau.compat` says why.
"""
