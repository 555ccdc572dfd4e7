"""MLOps Foundation: a secure multi-account MLOps platform for AWS that also runs whole on a laptop.

The way of the data, one package each::

    mlops.yaml -> config -> plan -> stacks, templates -> cloud assembly -> AWS or the local cloud
"""

__version__ = "0.1.0"
