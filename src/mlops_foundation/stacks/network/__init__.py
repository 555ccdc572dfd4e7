"""The VPC of an account."""
