"""Keeps one server of ours while anybody uses it; a program of its own, started by file name."""
