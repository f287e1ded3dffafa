"""The app: pages from ROUTES, behind the guard, with the API on the same port."""

import reflex as rx

from aiops_ui.layout import PRODUCT, offline
from aiops_ui.pages import missing
from aiops_ui.routes import ROUTES
from engine.serving import web
from state.failures import in_browser, in_handler

_web = web()

app = rx.App(
    stylesheets=["/tokens.css", "/style.css"],
    reset_style=False,
    toaster=None,
    html_lang="en",
    head_components=[
        rx.el.link(
            rel="preload",
            href="/fonts/inter-latin-wght-normal.woff2",
            custom_attrs={"as": "font"},
            type="font/woff2",
            cross_origin="anonymous",
        ),
        rx.el.link(rel="icon", href="/icon.svg", type="image/svg+xml"),
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        rx.el.meta(name="viewport", content="width=device-width, initial-scale=1"),
        rx.el.meta(name="color-scheme", content="dark light"),
    ],
    app_wraps={(5, "Offline"): lambda stateful: offline() if stateful else None},
    backend_exception_handler=in_handler,
    frontend_exception_handler=in_browser,
    api_transformer=[_web.api, _web.guard],
)
app.register_lifespan_task(_web.running)
for route in ROUTES:
    app.add_page(route.component, route=route.path, title=f"{route.title} · {PRODUCT}", on_load=list(route.on_load))
app.add_page(missing.page, route="/404", title=f"Not found · {PRODUCT}")
