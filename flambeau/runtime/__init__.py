"""Bytes and time: memory, worker threads, and the disk cache of object code.

Knows no operation and no graph; imports only ``flambeau.core``.
"""
