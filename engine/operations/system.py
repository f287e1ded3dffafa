"""How is the installation, as the people who run it see it?"""

from engine.model.alerts import Storage
from engine.model.vocabulary import Permission
from engine.operations.door import Context, operation, runtime
from engine.storage import census, health
from engine.storage.health import Health


@operation("system.status", Permission.VIEW, reads=True)
def status(ctx: Context) -> Health:
    """Show the processes, the queue, the disk and what is wrong."""
    return health.measure(runtime().database.aside, runtime().data_dir)


@operation("system.storage", Permission.INSTANCE, reads=True)
def storage(ctx: Context) -> tuple[Storage, ...]:
    """Show what the tables that grow hold and take on disk, by PostgreSQL's estimate: `bytes_per_row` with indexes."""
    return census.storage(runtime().database.aside)
