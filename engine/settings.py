"""Which settings are there, and are they right?

Everything comes from the environment (`AIOPS_…`), is read once and checked at the start; every fault is named at once.
A secret may come from a file instead: `AIOPS_DATABASE_URL_FILE=/run/secrets/db`. docs/settings.md is made from this file.
"""

import difflib
import os
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from engine.errors import Misconfigured

PREFIX = "AIOPS_"
Network = IPv4Network | IPv6Network
_USUAL_PORT = {"http": ":80", "https": ":443"}


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(value: object) -> object:
    return [ip_network(str(part)) for part in value] if isinstance(value := _listed(value), list) else value


def default_data_dir(environment: Mapping[str, str], root: bool) -> Path:
    """Where data lives when nothing is set: /var/lib/aiops for root, else under the user's own data home."""
    if root:
        return Path("/var/lib/aiops")
    home = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME", "/nonexistent")) / ".local/share")
    return Path(home) / "aiops"


class Settings(BaseModel):
    """The settings of one process. Field descriptions are the reference that docs/settings.md shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    profile: Literal["development", "staging", "production"] = Field(
        "development", description="production refuses what is unsafe outside a laptop, such as an address without https"
    )
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 for all, behind something that speaks TLS")
    port: int = Field(3000, ge=1, le=65535, description="the one port of page, API, webhooks and sockets")
    public_url: str = Field("", description="the address people type, such as https://ops.example.com (default: localhost)")
    allowed_origins: Annotated[list[str], BeforeValidator(_listed)] = Field(
        [], description="further origins, comma-separated, at which the pages are live and may call the API with a cookie"
    )
    trusted_proxies: Annotated[list[Network], BeforeValidator(_networks)] = Field(
        [], description="networks, comma-separated, whose X-Forwarded-For is believed"
    )
    data_dir: Path = Field(Path("/var/lib/aiops"), description="where the embedded database and keys live")
    database_url: SecretStr | None = Field(
        None, description="any PostgreSQL 15 or later instead of the embedded one: the application's role, which owns nothing"
    )
    database_owner_url: SecretStr | None = Field(
        None, description="the same database as the role that owns the tables: migrations and partitions"
    )
    database_tls: Literal["", "verify"] = Field(
        "", description="`verify` asks for TLS with a checked certificate (sslmode=verify-full) on both URLs"
    )
    database_tls_root: Path | None = Field(None, description="file of the certificate authority to check against")
    postgres_bin: Path | None = Field(None, description="folder of other PostgreSQL binaries to run as the embedded database")
    pool_size: int = Field(10, ge=2, le=200, description="database connections of one process at most")
    statement_timeout_ms: int = Field(2000, ge=100, description="longest statement of the web process, milliseconds")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_format: Literal["json", "text"] = Field("json", description="json for machines, text for eyes")
    body_limit_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="largest request body")
    rate_limit_per_minute: int = Field(600, ge=10, description="requests a minute of one token, session or address")
    session_idle_hours: int = Field(12, ge=1, le=720, description="a session unused for so long ends")
    session_days: int = Field(7, ge=1, le=90, description="a session ends after so long, used or not")
    audit_retention_days: int = Field(400, ge=30, description="audit entries older than this are dropped, by week")
    delivery_retention_days: int = Field(14, ge=1, description="deliveries as they came older than this are dropped, by week")
    quarantine_retention_days: int = Field(30, ge=1, description="what could not be understood is dropped after so long, by week")
    alert_retention_days: int = Field(400, ge=7, description="alerts that are over, first seen before that, are dropped, by week")
    history_retention_days: int = Field(90, ge=7, description="lines of alerts' histories older than this are dropped, by week")
    timeline_retention_days: int = Field(400, ge=7, description="lines of incidents' timelines older than this are dropped, by week")
    minute_retention_days: int = Field(90, ge=8, description="what came each minute, for the dashboard, is dropped after so long, by week")
    job_retention_days: int = Field(14, ge=1, description="finished jobs older than this are removed")
    metrics_token: SecretStr | None = Field(None, description="bearer token for /metrics; without it only this machine may read them")
    warn_webhook: SecretStr | None = Field(None, description="URL that gets the supervisor's own warnings as JSON")
    warn_email: str = Field("", description="address that gets the supervisor's own warnings, by AIOPS_SMTP_URL")
    smtp_url: SecretStr | None = Field(None, description="mail server: smtp://user:password@host:587 or smtps://…:465")
    smtp_from: str = Field("", description="sender of our mail (default: the address in warn_email)")
    dead_man_url: SecretStr | None = Field(
        None, description="URL fetched every minute while all is well; let something outside warn when it stops"
    )
    provision_dir: Path | None = Field(None, description="folder of YAML files that describe teams, sources and rules; read every minute")
    sealing_keys: SecretStr | None = Field(
        None, description="keys, comma-separated, the newest first, that seal secrets in the database (default: one in the data directory)"
    )
    web_dir: Path = Field(Path(".web"), description="where the built page lives, relative to the project")

    @property
    def origin(self) -> str:
        """Scheme, host and port of the public address, as a browser's Origin header says it."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc.lower().removesuffix(_USUAL_PORT.get(parts.scheme, ''))}"

    @property
    def origins(self) -> tuple[str, ...]:
        """All origins whose pages may call us: the public one, its loopback twin in development, and those allowed."""
        twins = (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}") if self.profile == "development" else ()
        return tuple(dict.fromkeys((self.origin, *twins, *self.allowed_origins)))

    @property
    def tls(self) -> bool:
        """Whether people reach us by https: cookies are then Secure and HSTS is sent."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def retention(self) -> dict[str, timedelta]:
        """How long the tables are kept whose weeks are dropped whole."""
        days = {
            "audit": self.audit_retention_days,
            "inbox": self.delivery_retention_days,
            "quarantine": self.quarantine_retention_days,
            "alert_history": self.alert_retention_days,
            "alert_entry": self.history_retention_days,
            "incident_entry": self.timeline_retention_days,
            "intake_minute": self.minute_retention_days,
        }
        return {table: timedelta(days=kept) for table, kept in days.items()}

    @property
    def embedded(self) -> bool:
        """Whether the database is our own child."""
        return self.database_url is None


def load(environment: Mapping[str, str], root: bool | None = None) -> Settings:
    """Read and check the settings. Raises Misconfigured with every fault, each naming its variable and what to do."""
    faults: list[str] = []
    values: dict[str, Any] = _values(environment, faults)
    values.setdefault("data_dir", default_data_dir(environment, os.geteuid() == 0 if root is None else root))
    values.setdefault("public_url", f"http://localhost:{values.get('port', 3000)}")
    try:
        settings = Settings(**values)
    except ValidationError as error:
        wrong = {str(e["loc"][0]): e["msg"] for e in error.errors(include_input=False)}
        faults += [f"{PREFIX}{name.upper()}: {message}" for name, message in wrong.items()]
        settings = Settings(**{name: value for name, value in values.items() if name not in wrong})
    faults += _faults_between(settings)
    if faults:
        raise Misconfigured(*faults)
    return settings


def _values(environment: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    known = Settings.model_fields
    for variable in sorted(name for name in environment if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX).lower()
        text = environment[variable]
        if name not in known and name.endswith("_file") and name.removesuffix("_file") in known:
            name = name.removesuffix("_file")
            if name in values:
                faults.append(f"{variable}: {PREFIX}{name.upper()} is set too; keep one of the two")
                continue
            try:
                text = Path(text).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                # The path is not repeated: who mixes the two up has put the secret itself there.
                why = error.strerror if isinstance(error, OSError) else "it is not text"
                faults.append(f"{variable}: cannot read the file it names ({why}); check the path and its permissions")
                continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else "; remove it (docs/settings.md lists all)"
            faults.append(f"{variable}: there is no such setting{hint}")
        elif text:
            values[name] = text
    return values


def _faults_between(settings: Settings) -> list[str]:
    """What is wrong between settings that are each right."""
    parts = _parsed(settings.public_url)
    is_address = parts.scheme in ("http", "https") and bool(parts.netloc) and parts.path in ("", "/")
    no_binaries = settings.postgres_bin is not None and not (settings.postgres_bin / "postgres").exists()
    checks = [
        (not is_address, f"AIOPS_PUBLIC_URL: {settings.public_url!r} is not an address such as https://ops.example.com"),
        (
            settings.profile == "production" and parts.scheme != "https",
            "AIOPS_PUBLIC_URL: production needs https; put a TLS proxy in front and set its address",
        ),
        (
            settings.host not in _LOOPBACK and parts.hostname in ("localhost", *_LOOPBACK),
            "AIOPS_PUBLIC_URL: set the address people type, such as http://ops.internal:3000; AIOPS_HOST lets them come from elsewhere",
        ),
        (
            bool(settings.database_owner_url and not settings.database_url),
            "AIOPS_DATABASE_OWNER_URL: set AIOPS_DATABASE_URL too (the role that owns nothing)",
        ),
        (no_binaries, f"AIOPS_POSTGRES_BIN: no file `postgres` in {settings.postgres_bin}"),
        (bool(settings.warn_email and not settings.smtp_url), "AIOPS_WARN_EMAIL: set AIOPS_SMTP_URL too, or no mail can be sent"),
        *(
            (_parsed(origin).scheme not in ("http", "https") or origin.rstrip("/") != origin, _NO_ORIGIN.format(origin))
            for origin in settings.allowed_origins
        ),
        *(_beginning(settings, name, beginnings) for name, beginnings in _BEGINNINGS.items()),
    ]
    return [words for wrong, words in checks if wrong]


_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_NO_ORIGIN = "AIOPS_ALLOWED_ORIGINS: {!r} is not an origin such as https://chat.example.com"
_BEGINNINGS = {
    "database_url": ("postgresql://", "postgres://"),
    "database_owner_url": ("postgresql://", "postgres://"),
    "smtp_url": ("smtp://", "smtps://"),
    "warn_webhook": ("http://", "https://"),
    "dead_man_url": ("http://", "https://"),
}


def _beginning(settings: Settings, name: str, beginnings: tuple[str, ...]) -> tuple[bool, str]:
    """Whether a secret URL begins as it may not; its value is not repeated."""
    url: SecretStr | None = getattr(settings, name)
    wrong = url is not None and not url.get_secret_value().startswith(beginnings)
    return wrong, f"{PREFIX}{name.upper()}: must begin with {' or '.join(beginnings)}"


def _parsed(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as http://[
        return urlsplit("")


def reference() -> str:
    """The table of docs/settings.md: every variable, its default and what it is for."""
    rows = ["| variable | default | what it is for |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = {"data_dir": "see operating.md", "public_url": "http://localhost:PORT"}.get(name, field.default)
        shown = "" if default in (None, "", []) else f"`{default}`"
        secret = "; also `_FILE`" if "SecretStr" in str(field.annotation) else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description}{secret} |")
    return "\n".join(rows)
