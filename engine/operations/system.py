"""How is the installation, as the people who run it see it?"""

from engine.model.vocabulary import Permission
from engine.operations.door import Context, operation, runtime
from engine.storage import health
from engine.storage.health import Health


@operation(Permission.VIEW, reads=True)
def status(ctx: Context) -> Health:
    """Show the processes, the queue, the disk and what is wrong."""
    return health.measure(runtime().database.aside, runtime().data_dir)
