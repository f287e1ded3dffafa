"""What does the installation do by itself, again and again?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event

from sqlalchemy import Engine

from engine.log import logger
from engine.storage import alerts, audit, definitions, incidents, instance, jobs, links, partitions, replays, sessions
from engine.storage.database import Database
from engine.storage.directories import organizations
from engine.storage.work import INSTANCE, Tenant, work
from engine.workflows import handlers, proving, provisioner

SESSIONS_KEPT = timedelta(days=90)
HITS_KEPT = timedelta(days=1)  # the longest window of a threshold


@dataclass(frozen=True)
class Keeping:
    """How long what is kept: `weeks` are the tables whose weeks are dropped whole."""

    weeks: Mapping[str, timedelta]
    jobs: timedelta


@dataclass(frozen=True)
class Duties:
    """The duties by name, each with its length in seconds. `owner` is the engine of the tables' owner, for partitions."""

    database: Database
    owner: Engine | None
    keeping: Keeping
    provision_dir: Path | None = None
    ending: Event = field(default_factory=Event)  # set when the process ends: who waits, waits no longer

    def table(self) -> dict[str, tuple[int, Callable[[], None]]]:
        """Every duty."""
        always = {"partitions": (3600, self.partitions), "sweep": (600, self.sweep), "proof": (60, self.prove)}
        return always if self.provision_dir is None else always | {"provision": (60, self.provision)}

    def provision(self) -> None:
        """Make teams, sources and rules as files describe them."""
        assert self.provision_dir is not None, "a duty only where there is a folder"
        if actors := handlers.everywhere(self.database):
            for change in provisioner.provision(self.provision_dir, actors, only_check=False):
                logger().info("provisioned", change=change)

    def prove(self) -> None:
        """Prove that an alert gets through everything."""
        proving.prove(self.database, self.ending)

    def partitions(self) -> None:
        """Make the weeks ahead and drop those that are past their time."""
        if self.owner is None:
            raise RuntimeError("AIOPS_DATABASE_OWNER_URL is not set, so no partitions can be made ahead")
        with work(self.database, INSTANCE) as open_work:
            now = open_work.now
        done = partitions.keep_up(self.owner, self.keeping.weeks, now)
        if done.strays:
            logger().error("partitions.late", rows=done.strays)
        if done.made or done.dropped:
            logger().info("partitions.kept", made=done.made, dropped=done.dropped)

    def sweep(self) -> None:
        """Remove finished jobs, answered keys and ended sessions that are past their time, an organization at a time."""
        with work(self.database, Tenant()) as open_work:
            everywhere = organizations(open_work)
        for org_id in everywhere:
            with work(self.database, Tenant(org_id, all_teams=True)) as open_work:
                jobs.sweep(open_work, open_work.now - self.keeping.jobs)
                replays.forget_old(open_work)
                sessions.forget_old(open_work, open_work.now - SESSIONS_KEPT)
                links.forget_old(open_work)
                alerts.forget_old(open_work, open_work.now - self.keeping.weeks["alert_history"] - partitions.WEEK)
                incidents.forget_old(open_work, open_work.now - self.keeping.weeks["incident_entry"])
                definitions.forget_hits(open_work, open_work.now - HITS_KEPT)
                audit.forget_refusals(open_work, open_work.now - self.keeping.weeks["audit"])
        with work(self.database, INSTANCE) as open_work:
            instance.forget_failures(open_work)
