"""The catalog of project templates in the dev account."""
