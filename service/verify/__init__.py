"""Checking the log offline: with nothing but a public key, no database and nothing else of the service.

An auditor may read, copy and run this package alone. It imports the standard library and, for the signature
(``signature`` only), ``cryptography``. Everything that is found wrong is an ``Invalid`` with one line of why.
"""
