"""How does a person learn that something is wrong here, without anybody watching?

A fault is told when it begins, once an hour while it lasts, and when it is over: to the log, by mail and to a webhook,
as the settings say. While all is well, the dead-man address is fetched every minute.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from engine.log import logger
from engine.settings import Settings

_AGAIN_AFTER = 3600.0
_ONCE_IN = 60.0
_PING_EVERY = 60.0
_TIMEOUT = 10.0
# A URL that cannot be one is found only when it is used: InvalidURL, ValueError.
_NOT_SENT = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)


class Warner:
    """Tells faults. `clock` is a monotonic one, in seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float]) -> None:
        self._settings, self._clock = settings, clock
        self._told: dict[str, float] = {}
        self._told_once: dict[str, float] = {}
        self._pinged = float("-inf")
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="warn")

    def tell(self, faults: Sequence[tuple[str, str]]) -> None:
        """The faults of now, each with a key that stays the same while its words change."""
        now, current = self._clock(), dict(faults)
        new = {key: words for key, words in current.items() if now - self._told.get(key, float("-inf")) >= _AGAIN_AFTER}
        over = [key for key in self._told if key not in current]
        for key, words in new.items():
            self._told[key] = now
            logger().warning("supervisor.fault", fault=key, words=words)
        for key in over:
            del self._told[key]
            logger().info("supervisor.over", fault=key)
        if new or over:
            lines = [*new.values(), *(f"over: {key}" for key in over)]
            self._pool.submit(self._send, lines)
        if not current and now - self._pinged >= _PING_EVERY:
            self._pinged = now
            self._pool.submit(self._ping)

    def happened(self, what: str, words: str) -> None:
        """Something that is over already, such as the end of a child that is started again; once a minute for each."""
        now = self._clock()
        logger().warning("supervisor.happened", what=what, words=words)
        if now - self._told_once.get(what, float("-inf")) >= _ONCE_IN:
            self._told_once[what] = now
            self._pool.submit(self._send, [words])

    def close(self) -> None:
        """Send what is still to be sent, then end."""
        self._pool.shutdown(wait=True)

    def _send(self, lines: list[str]) -> None:
        for send in (self._to_webhook, self._to_mail):
            try:
                send(lines)
            except (*_NOT_SENT, smtplib.SMTPException) as error:
                logger().error("supervisor.warning_failed", by=send.__name__.removeprefix("_to_"), error=type(error).__name__)

    def _to_webhook(self, lines: list[str]) -> None:
        if (url := self._settings.warn_webhook) is not None:
            body = {"text": "\n".join(lines), "faults": lines, "host": socket.gethostname(), "address": self._settings.public_url}
            httpx.post(url.get_secret_value(), json=body, timeout=_TIMEOUT).raise_for_status()

    def _to_mail(self, lines: list[str]) -> None:
        if not self._settings.warn_email or self._settings.smtp_url is None:
            return
        mail = EmailMessage()
        mail["Subject"] = f"aiops on {socket.gethostname()}: {' '.join(lines[0].split())[:120]}"
        mail["From"] = self._settings.smtp_from or self._settings.warn_email
        mail["To"] = self._settings.warn_email
        mail.set_content("\n".join([*lines, "", self._settings.public_url]))
        url = urlsplit(self._settings.smtp_url.get_secret_value())
        with _connected(url) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(mail)

    def _ping(self) -> None:
        if (url := self._settings.dead_man_url) is not None:
            try:
                httpx.get(url.get_secret_value(), timeout=_TIMEOUT).raise_for_status()
            except _NOT_SENT as error:
                logger().warning("supervisor.dead_man_failed", error=type(error).__name__)


def _connected(url: SplitResult) -> smtplib.SMTP:
    """A connection under TLS with a checked certificate, unless smtp:// names a server that has no TLS."""
    host, port, context = url.hostname or "", url.port or 0, ssl.create_default_context()
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
    server = smtplib.SMTP(host, port, timeout=_TIMEOUT)
    try:
        server.ehlo()  # before it nothing is known of what the server can do
        if server.has_extn("starttls"):
            server.starttls(context=context)
        elif url.username and host not in ("localhost", "127.0.0.1", "::1"):
            raise smtplib.SMTPNotSupportedError("the mail server offers no TLS, and the password is not sent without it")
    except BaseException:
        server.close()
        raise
    return server
