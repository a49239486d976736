"""The security team's side: what happens at the console, as plain functions."""
