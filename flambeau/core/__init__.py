"""What every package stands on: types, layouts, settings, errors. Imports nothing of flambeau."""
