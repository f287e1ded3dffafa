"""An alert's life as functions from values to values; one file a stage. The intake brings the first ones."""
