"""ministack in our process, and the only place that knows its private names.

The parts, in the order a start takes them::

    environment -> iam -> storage -> events -> cloudformation -> services

``tests/local/test_adapter_contract.py`` fails when a pinned ministack no longer has a name or a behaviour relied on.
"""
