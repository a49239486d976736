"""How fast the service is where its documents give figures. Each is run by hand and prints its table."""
