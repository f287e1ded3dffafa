"""Is it alive, is it ready, and how is it?"""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from engine.errors import AiopsError
from engine.operations.door import runtime
from engine.storage import health, migrate
from engine.storage.health import Health

router = APIRouter(tags=["health"])


@router.get("/health/live")
def live() -> dict[str, str]:
    """200 while the process answers at all; restart it when it does not."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"description": "not ready: send requests elsewhere"}})
def ready() -> JSONResponse:
    """200 when requests can be served: the database answers and its schema is this version's."""
    measured = _measure()
    if measured is None:
        return JSONResponse({"status": "not ready", "faults": [_NO_DATABASE]}, 503)
    if measured.revision != migrate.newest():
        return JSONResponse({"status": "not ready", "faults": [f"the schema is at {measured.revision}"]}, 503)
    return JSONResponse({"status": "ready"})


@router.get("/health", responses={503: {"description": "something is wrong; `faults` says what"}})
def detail() -> JSONResponse:
    """Everything: version, time, database, processes, tick, disk, queue, and every fault with what to do."""
    measured = _measure()
    if measured is None:
        return JSONResponse({"status": "fault", "database": "unreachable", "faults": [_NO_DATABASE]}, 503)
    return JSONResponse(_shown(measured), 503 if measured.faults else 200)


def _measure() -> Health | None:
    try:
        return health.measure(runtime().database, runtime().data_dir)
    except (SQLAlchemyError, AiopsError):
        return None


def _shown(measured: Health) -> dict[str, Any]:
    return {
        "status": "fault" if measured.faults else "ok",
        "version": runtime().version,
        "time": measured.now.isoformat(),
        "database": "ok",
        "revision": measured.revision,
        "processes": [
            {"kind": beat.kind, "version": beat.version, "seen_seconds_ago": round((measured.now - beat.seen_at).total_seconds(), 1)}
            for beat in measured.processes
        ],
        "tick_age_seconds": round(measured.tick_age.total_seconds(), 1) if measured.tick_age is not None else None,
        "queue_age_seconds": round(measured.queue_age.total_seconds(), 1),
        "intake_age_seconds": round(measured.intake_age.total_seconds(), 1),
        "proof": _proof(measured),
        "disk_free_ratio": round(measured.disk_free, 3),
        "database_bytes": measured.database_bytes,
        "faults": [fault.words for fault in measured.faults],
    }


def _proof(measured: Health) -> dict[str, Any] | None:
    if measured.proof_at is None:
        return None
    seconds = None if measured.proof_seconds is None else round(measured.proof_seconds, 3)
    return {"seconds": seconds, "age_seconds": round((measured.now - measured.proof_at).total_seconds(), 1)}


_NO_DATABASE = "the database does not answer: see the supervisor's log, or check AIOPS_DATABASE_URL"
