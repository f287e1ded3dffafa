"""Whose delivery is this, and is it really theirs?"""

import asyncio
import base64
import binascii
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network

from engine.errors import NotSignedIn, Refused
from engine.identity.secrets import matches, parse_token
from engine.identity.signatures import signed
from engine.integrations.sources.contract import Kind
from engine.model.vocabulary import SourceAuth
from engine.operations.door import runtime
from engine.storage import sources
from engine.storage.sources import Found
from engine.storage.vault import Vault
from engine.storage.work import Tenant, work

_KNOWN_FOR = 2.0
_MOST_KNOWN = 10_000
_BAD = "The credential is not one of a source. Check it on the source's page; it is shown once, and can be rotated there."


class Unproven(NotSignedIn):
    """Nothing shows that a delivery is from the source it names."""

    title = "Not a known sender"


@dataclass(frozen=True)
class Asked:
    """What a request shows: where it comes from, its headers (lower case), and its body as it came."""

    address: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


class Senders:
    """Sources by public id, remembered for two seconds; notices about sources make it forget at once."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[str, tuple[float, Found | None]] = {}
        self._nearby: dict[str, tuple[float, list[Found]]] = {}
        self._loading: dict[str, asyncio.Task[Found | None]] = {}

    def forget(self) -> None:
        """A source has changed."""
        self._known.clear()
        self._nearby.clear()

    async def find(self, public_id: str) -> Found | None:
        """The source of a public id, its own or of one of its credentials."""
        known = self._known.get(public_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        if public_id not in self._loading:
            self._loading[public_id] = asyncio.create_task(asyncio.to_thread(_load, public_id))
        try:
            found = await asyncio.shield(self._loading[public_id])
        finally:
            self._loading.pop(public_id, None)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[public_id] = (time.monotonic() + _KNOWN_FOR, found)
        return found

    async def check(self, kind: Kind, public_id: str | None, asked: Asked) -> Found:
        """The source that this delivery is from. Raises NotSignedIn when nothing shows that it is, Refused when it is paused."""
        secrets = presented(kind, asked)
        if public_id is None:
            ids = [token.public_id for secret in secrets if (token := parse_token(secret))]
            public_id = ids[0] if ids else ""
        found = await self.find(public_id) if public_id else None
        if found is None and not public_id and not secrets:
            found = await self._at(kind, asked.address)
        if found is None or found.source.kind != kind.id or not self._proven(found, secrets, asked):
            matches("", b"")
            raise Unproven(_BAD)
        if found.source.paused:
            raise Refused("This source is paused: nothing is taken from it until somebody resumes it.")
        return found

    async def _at(self, kind: Kind, address: str) -> Found | None:
        """The source that is known by this address; of several, the one with the narrowest network."""
        key = f"address:{kind.id}"
        known = self._nearby.get(key)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + _KNOWN_FOR, await asyncio.to_thread(_load_by_address, kind.id))
            self._nearby[key] = known
        near = [(width, found) for found in known[1] if (width := _width(address, found.source.networks)) is not None]
        return max(near, key=lambda each: each[0])[1] if near else None

    def _proven(self, found: Found, secrets: list[str], asked: Asked) -> bool:
        source = found.source
        if source.networks and not _within(asked.address, source.networks):
            return False
        if source.auth is SourceAuth.ADDRESS:
            return bool(source.networks)
        live = [each for each in found.credentials if each.expires_at is None or each.expires_at > asked.at]
        if source.auth is SourceAuth.SIGNATURE:
            given = asked.headers.get(source.signature_header.lower(), "")
            return any([signed(self._vault.open(each.sealed), asked.body, given, asked.at) for each in live if each.sealed is not None])
        tokens = [token for secret in secrets if (token := parse_token(secret))]
        return any([matches(token.secret, each.secret_hash) for token in tokens for each in live if each.secret_hash is not None])


def presented(kind: Kind, asked: Asked) -> list[str]:
    """Every secret that a request shows: bearer, either half of basic, X-API-KEY, and one inside the body."""
    found: list[str] = []
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        found += [password, user]
    elif value:
        found.append(value.strip())
    found.append(asked.headers.get("x-api-key", ""))
    if kind.credential is not None:
        found.append(kind.credential(asked.body) or "")
    return [secret for secret in found if secret]


def _load(public_id: str) -> Found | None:
    with work(runtime().database, Tenant()) as open_work:
        place = sources.directory(open_work, public_id)
        if place is None:
            return None
        org_id, source_id = place
        open_work.become(Tenant(org_id, all_teams=True))
        return sources.found(open_work, source_id)


def _load_by_address(kind: str) -> list[Found]:
    with work(runtime().database, Tenant()) as open_work:
        found: list[Found | None] = []
        for org_id, source_id in sources.by_address(open_work, kind):
            open_work.become(Tenant(org_id, all_teams=True))
            found.append(sources.found(open_work, source_id))
    return [each for each in found if each is not None and each.source.auth is SourceAuth.ADDRESS]


def _within(address: str, networks: list[str]) -> bool:
    return _width(address, networks) is not None


def _width(address: str, networks: list[str]) -> int | None:
    """How narrow the narrowest of the networks is that the address is in; None: it is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    found = getattr(found, "ipv4_mapped", None) or found
    return max((ip_network(network).prefixlen for network in networks if found in ip_network(network)), default=None)
