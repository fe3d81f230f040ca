"""Learning from experience: one module for each algorithm, or for each family that shares its loop."""
