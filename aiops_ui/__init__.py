"""What people see. No engine calls, no business decisions."""
