"""What touches production: only workflows may import it."""
