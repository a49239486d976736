"""HTTP: the public door for backends. Translates, and decides nothing about files."""
