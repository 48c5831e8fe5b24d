"""One migration script, read without running it."""
