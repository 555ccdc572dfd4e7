"""SageMaker Pipelines: a definition, its expressions, and the executor that runs its steps as the pipeline's role."""
