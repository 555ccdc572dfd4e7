"""What stacks and templates are built of: the stack base, narrowed principals, parameters, acknowledgements."""
