"""The local cloud: an AWS-compatible endpoint on 127.0.0.1 where the same templates and seed code run whole.

A request goes through a short, visible way::

    server -> adapter (ministack: routing, signature) -> dispatch -> authorize -> services/<name>
"""
