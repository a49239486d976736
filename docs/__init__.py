"""Programs that draw parts of the documentation."""
