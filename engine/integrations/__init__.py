"""Vendors, a folder a kind: a contract, a table, one file a vendor."""
