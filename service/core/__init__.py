"""The rules, without any input or output: states, verdicts, policy, types, names, errors.

Nothing here opens a file, a socket or a clock; a caller hands in values and gets values back.
"""
