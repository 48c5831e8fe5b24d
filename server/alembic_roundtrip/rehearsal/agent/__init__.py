"""What runs in the user's Python: its door is `__main__.py`."""
