"""`make run`: one process that starts the others, keeps them alive and says when something is wrong."""
