"""The log's way: a line is written with what it tells of, gets its place, and comes under a checkpoint.

::

    write                      place                     checkpoint
    in the transaction         the worker, a moment      the worker, every minute
    that made it true          later, many at once       or thousand lines

Each is one transaction. A crash before or after any of them leaves lines that wait for the next, and two
workers at the same step are sorted out by compare-and-swap: one does it, the other finds it done.
"""
