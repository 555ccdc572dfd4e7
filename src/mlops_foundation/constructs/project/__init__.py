"""Parts that project templates are composed of: parameters, names, storage, roles, builds, repositories and pipelines.

A part knows the platform's names and rules, and nothing of any template: what a template chooses, it passes.
"""
