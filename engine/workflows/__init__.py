"""What goes on by itself: jobs, timers and the worker that carries them."""
