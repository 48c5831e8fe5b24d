"""Upgrade, downgrade, upgrade: one database's way through the history, and the verdicts."""
