"""The model registry: groups with their policies, and versioned model packages."""
