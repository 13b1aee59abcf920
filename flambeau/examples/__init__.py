"""Programs to run and to read: ``python -m flambeau.examples.digits``."""
