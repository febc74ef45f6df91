"""Redis, PostgreSQL and Kafka as servers from Python packages: nothing to install, no root, no container.

A server that a command starts outlives it on purpose: starting one takes seconds, and the next command attaches to it.
``regulars stop`` ends them. Decision 0024 says which ones end with their parent.
"""
