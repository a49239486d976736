"""Greenroom: meeting files wait in quarantine, are scanned, and only clean ones are released."""
