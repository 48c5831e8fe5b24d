"""The schema of a database at one moment, as plain values, and what differs between two."""
