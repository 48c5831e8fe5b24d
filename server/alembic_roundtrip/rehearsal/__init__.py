"""Upgrade, downgrade, upgrade on a scratch database, and what that loses."""
