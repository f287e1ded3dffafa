"""How does a person read the API? One page without a script, so that it works under any policy."""

import html
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from engine.errors import AiopsError

router = APIRouter(include_in_schema=False)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root{color-scheme:light dark;--ink:light-dark(#171c26,#e7ebf2);--soft:light-dark(#4c5667,#a3adbd);
--line:light-dark(#e1e5eb,#222936);--ground:light-dark(#f5f6f8,#0b0e13);--panel:light-dark(#fff,#11151c)}
body{font:14px/1.5 Inter,system-ui,sans-serif;margin:0 auto;max-width:960px;padding:24px;background:var(--ground);color:var(--ink)}
h1{font-size:20px}h2{font-size:13px;margin:24px 0 8px;color:var(--soft)}
details{background:var(--panel);border:1px solid var(--line);border-radius:10px;margin:6px 0;padding:8px 12px}
summary{cursor:pointer}code,pre{font:12px/1.5 'JetBrains Mono',monospace}pre{overflow:auto;white-space:pre-wrap}
b.m{display:inline-block;min-width:56px}table{border-collapse:collapse;width:100%}
td{border-top:1px solid var(--line);padding:4px 8px 4px 0;vertical-align:top}
.soft{color:var(--soft)}
"""
_INTRO = """
<p>Send <code>Authorization: Bearer aio_…</code>. Lists answer <code>{"data": […], "pagination": {…}}</code> and take
<code>cursor</code> and <code>limit</code>, or <code>page</code> and <code>page_size</code>; <code>fields=</code> leaves fields out.
Errors are problem documents (RFC 9457). <code>Idempotency-Key</code> makes a change happen once; <code>If-Match</code> refuses to
overwrite what somebody else changed. The machine-readable form is <a href="/api/openapi.json">/api/openapi.json</a>.</p>
"""


@router.get("/api/docs", response_class=HTMLResponse)
def page(request: Request) -> HTMLResponse:
    """The API, operation by operation."""
    spec: dict[str, Any] = request.app.openapi()
    by_tag: dict[str, list[str]] = {}
    for path, methods in spec["paths"].items():
        for method, entry in methods.items():
            by_tag.setdefault((entry.get("tags") or ["other"])[0], []).append(_entry(method, path, entry, spec))
    parts = [f"<h2>{html.escape(tag)}</h2>{''.join(entries)}" for tag, entries in sorted(by_tag.items())]
    problems = "".join(f'<dt id="{kind.slug}"><code>{kind.slug}</code> {kind.status}</dt><dd>{_about(kind)}</dd>' for kind in _kinds())
    parts.append(f"<h2>Problems</h2><dl>{problems}</dl>")
    title = html.escape(f"{spec['info']['title']} {spec['info']['version']}")
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = f"{head}<style>{_STYLE}</style><h1>{title}</h1>{_INTRO}{''.join(parts)}</html>"
    return HTMLResponse(body, headers={"Content-Security-Policy": _POLICY})


def _kinds() -> list[type[AiopsError]]:
    """Every kind of problem, by its status."""
    return sorted(AiopsError.__subclasses__(), key=lambda kind: (kind.status, kind.slug))


def _about(kind: type[AiopsError]) -> str:
    return html.escape((kind.__doc__ or "").split("\n")[0])


def _entry(method: str, path: str, entry: dict[str, Any], spec: dict[str, Any]) -> str:
    rows = [_row(p["name"], p["in"], p["schema"], p.get("required", False), p.get("description", "")) for p in entry.get("parameters", [])]
    content = entry.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _resolved(content.get("schema", {}), spec)
    needed = body.get("required", [])
    rows += [
        _row(name, "body", schema, name in needed, schema.get("description", "")) for name, schema in body.get("properties", {}).items()
    ]
    answers = ", ".join(f"{code} {html.escape(answer.get('description', ''))}" for code, answer in entry["responses"].items())
    text = html.escape(entry.get("description", "")).replace("`", "")
    return (
        f'<details><summary><b class="m">{method.upper()}</b> <code>{html.escape(path)}</code> '
        f'<span class="soft">{html.escape(entry.get("summary", ""))}</span></summary><pre class="soft">{text}</pre>'
        f'<table>{"".join(rows)}</table><p class="soft">{answers}</p></details>'
    )


def _row(name: str, place: str, schema: dict[str, Any], needed: bool, text: str) -> str:
    kind = (
        schema.get("type")
        or " or ".join(str(s.get("type") or s.get("$ref", "").rpartition("/")[2]) for s in schema.get("anyOf", []))
        or schema.get("$ref", "").rpartition("/")[2]
    )
    cells = (f"<code>{html.escape(name)}</code>{' *' if needed else ''}", place, html.escape(kind), html.escape(text))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _resolved(schema: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return spec["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
