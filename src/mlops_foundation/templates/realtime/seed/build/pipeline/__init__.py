"""The training pipeline: what it consists of, and how a build runs it."""
