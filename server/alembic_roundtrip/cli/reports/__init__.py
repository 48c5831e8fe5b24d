"""What is printed: one file for each kind of result and format."""
