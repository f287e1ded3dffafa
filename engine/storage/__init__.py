"""Transactions, queries, the bundled database: everything that does I/O for the product itself."""
