"""The private package index of an account."""
