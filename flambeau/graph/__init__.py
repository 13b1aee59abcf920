"""The tensor graph: nodes, the passes over them, and the programs they become."""
