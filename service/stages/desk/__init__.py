"""The security team's desk: what reviewers do, as plain functions over the ports."""
