"""What the project deploys to each stage, and which version of the model."""
