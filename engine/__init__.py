"""What the product does. Runs without a UI."""
