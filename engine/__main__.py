"""`python -m engine`."""

import gc

gc.disable()  # what is imported stays: to look for garbage in it, again and again, is a third of a start

from engine.commands import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
