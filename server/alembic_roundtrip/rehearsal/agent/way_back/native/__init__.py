"""What a database itself has the definition of, made and dropped in its own words."""
