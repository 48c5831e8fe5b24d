"""One file a rule; adding a file adds the rule."""
