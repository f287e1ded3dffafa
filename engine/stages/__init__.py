"""An alert's life as pure functions: from values to values, with the reason."""
