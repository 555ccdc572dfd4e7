"""ministack in our process, and the only place that knows its private names.

A start takes ``environment``, then every entry of ``changes``, which lists all that is changed, in order.

``tests/local/test_adapter_contract.py`` fails when a pinned ministack no longer has a name or a behaviour relied on.
"""
