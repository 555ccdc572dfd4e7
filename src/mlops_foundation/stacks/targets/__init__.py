"""What a stage account offers to the deploy pipelines of projects."""
