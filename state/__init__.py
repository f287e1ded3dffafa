"""What a page remembers. Asks operations, keeps one screenful."""
