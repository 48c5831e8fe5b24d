"""Made-up values: what a column can hold, and when two values are the same."""
