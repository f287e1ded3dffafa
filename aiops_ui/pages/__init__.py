"""One file a route; composition only."""
