"""Studio in the dev account: the domain, the people and what each may do."""
