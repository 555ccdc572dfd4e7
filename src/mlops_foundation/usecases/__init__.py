"""What a person wants done: one module a subject. They return values and report progress; they never print."""
