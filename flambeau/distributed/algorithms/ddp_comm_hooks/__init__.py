"""Hooks between processes."""
