"""Statements that lead from the upgraded schema back to the parent's."""
