"""What runs beside the requests of a web process?"""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from engine.log import logger
from engine.model.vocabulary import ProcessKind
from engine.storage import instance
from engine.storage.bus import Bus
from engine.storage.database import Database
from engine.storage.instance import Beat
from engine.storage.work import INSTANCE, work

_EVERY = 5.0


@asynccontextmanager
async def beside_requests(database: Database, bus: Bus, process: str, version: str) -> AsyncIterator[None]:
    """Listen for changes and say that the process is alive, while the block runs."""
    started = datetime.now(UTC)

    def beat() -> None:
        with work(database, INSTANCE) as open_work:
            instance.beat(open_work, Beat(process, ProcessKind.WEB, version, started, open_work.now, None))

    async def keep_beating() -> None:
        while True:
            try:
                await asyncio.to_thread(beat)
            except SQLAlchemyError as error:
                logger().warning("heartbeat.failed", error=type(error).__name__)
            await asyncio.sleep(_EVERY)

    def bury() -> None:
        with suppress(SQLAlchemyError), work(database, INSTANCE) as open_work:
            instance.bury(open_work, process)

    # What the start has made stays; looking through it again and again for garbage would make some request wait each time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    # The loop waits no longer than this for a thread that computes: the tail of every answer.
    sys.setswitchinterval(0.001)
    tasks = [asyncio.create_task(bus.run()), asyncio.create_task(keep_beating())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(bury)
