"""The real parts behind the ports: one library each."""
