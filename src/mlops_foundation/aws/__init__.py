"""Deploying to AWS, or to what answers in its place: sessions, bootstrap, the cdk CLI, waiting for stacks."""
