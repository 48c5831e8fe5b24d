"""What is known of files from the last time, kept on disk: a large history opens at once."""

from __future__ import annotations
