"""Erasing for good: an upload, a meeting, a person or an account, so that nothing of it can be recovered.

``ask`` writes down what is wanted, and the worker goes on with it (``work``) until nothing is left to do.
Every step may be done twice, so a process that is killed anywhere is taken over where it was, by looking at
what is still there. ``certificate`` proves by the log that it was done.
"""
