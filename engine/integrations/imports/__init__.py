"""What people have decided in other products, in our words."""
