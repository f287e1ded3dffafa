"""Vendors: one folder a kind of thing, one file a vendor, one line in the folder's table."""
