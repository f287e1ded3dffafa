"""Who may do what: pure, given the facts."""
