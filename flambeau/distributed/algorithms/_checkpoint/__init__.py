"""Checkpointing of wrapped modules."""
