"""Loop nests: what they are, what they mean, and how they are scheduled."""
