"""The rows of a rehearsal: made up or the project's own, and what is lost of them."""
