"""Looking at flambeau from outside: imports anything, is imported by nothing of the engine."""
