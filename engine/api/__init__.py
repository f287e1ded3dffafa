"""REST, sign-in forms, health and metrics, and what guards every request; works without the pages too."""

from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from engine.api import alertmanager, alertmanager_silences, docs, health, metrics, problems, routes, sign_in
from engine.api.edge import Edge
from engine.api.intake import Intake
from engine.api.pages import PagePaths
from engine.api.sockets import SocketGuard
from engine.settings import Settings

_ABOUT = "Remediation Engine: incidents from alerts, their causes and their repair."


def build_api(settings: Settings, version: str) -> FastAPI:
    """The API as an application of its own."""
    app = problems.Api(
        title="Remediation Engine API", version=version, description=_ABOUT, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    app.state.settings = settings
    problems.install(app)
    for router in (
        routes.router,
        alertmanager.router,
        alertmanager_silences.router,
        sign_in.api,
        sign_in.forms,
        health.router,
        metrics.router,
        docs.router,
    ):
        app.include_router(router)
    return app


def allow_origins(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Let pages of the allowed origins call us; the framework does this by itself when pages are served."""
    return CORSMiddleware(
        app, allow_origins=list(settings.origins), allow_credentials=True, allow_methods=["*"], allow_headers=["*"], expose_headers=["*"]
    )


def guard(app: ASGIApp, settings: Settings, web_dir: Path, intake: Intake) -> tuple[ASGIApp, SocketGuard]:
    """Wrap the whole application in the socket guard and the edge. The socket guard wants to hear notices."""
    sockets = SocketGuard(PagePaths(app, web_dir), settings)
    return Edge(sockets, settings, web_dir, intake), sockets
