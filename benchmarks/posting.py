"""How fast are deliveries acknowledged? A load generator: `python -m benchmarks.posting --url … --secret …` prints one JSON.

Alertmanager's webhook, version 4; half of the alerts of a post are new, half have been sent before. Closed loop over some
connections, or paced with `--rate` alerts a second (open loop: a late post counts from when it was due). `--record` names a file
that gets a line for each delivery: its id, and when the answer was there. Standard library and uvloop; its own CPU is reported, as
it works beside what it measures.
"""

import argparse
import asyncio
import hashlib
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

SERVICES, ZONES, TEAMS = 200, 4, 12


def alert(number: int, run: str, now: str) -> str:
    """One firing alert; the number is its identity."""
    mark = hashlib.blake2b(f"{run}-{number}".encode(), digest_size=8).hexdigest()
    service, zone = f"svc-{number % SERVICES}", f"eu-{number % ZONES}"
    severity = "critical" if number % 2 else "warning"
    return (
        f'{{"status":"firing","labels":{{"alertname":"HighLatency{number % 50}","severity":"{severity}","environment":"Production",'
        f'"service":"{service}","instance":"host-{number}:9100","job":"node","cluster":"{zone}","region":"eu-west-1",'
        f'"team":"team-{number % TEAMS}","namespace":"ns-{number % 40}"}},"annotations":{{"summary":"p99 latency of {service} on '
        f'host-{number} above 2s","description":"p99 request latency is 2.7s (threshold 2s) for 5m on host-{number}","value":"2.7",'
        f'"runbook_url":"https://runbooks.example/latency"}},"startsAt":"{now}","endsAt":"0001-01-01T00:00:00Z",'
        f'"generatorURL":"http://prometheus.example:9090/graph?g0.expr=latency&i={number}","fingerprint":"{mark}"}}'
    )


class Bodies:
    """Bodies of so many alerts; every second alert repeats one sent before, word for word."""

    def __init__(self, per_post: int, run: str, seed: int, start: int) -> None:
        self._per_post, self._run, self._next = per_post, run, start
        self._sent: list[str] = []
        self._random = random.Random(seed)  # noqa: S311 a load, not a secret
        self.made = 0

    def next(self) -> bytes:
        """The next body."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        alerts = []
        for _ in range(self._per_post):
            self.made += 1
            if self.made % 2 == 0 and self._sent:
                alerts.append(self._random.choice(self._sent))
                continue
            alerts.append(fresh := alert(self._next, self._run, now))
            self._next += 1
            if len(self._sent) < 50_000:
                self._sent.append(fresh)
            else:
                self._sent[self._random.randrange(50_000)] = fresh
        return (
            '{"version":"4","groupKey":"{}:{alertname=\\"HighLatency\\"}","truncatedAlerts":0,"status":"firing","receiver":"webhook",'
            '"groupLabels":{"alertname":"HighLatency"},"commonLabels":{"job":"node"},"commonAnnotations":{},'
            '"externalURL":"http://alertmanager.example:9093","alerts":[' + ",".join(alerts) + "]}"
        ).encode()


class Load:
    """Posts bodies, and counts the answers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._target = urlsplit(options.url)
        self._bodies = Bodies(options.alerts, options.run, options.seed, options.start)
        self.status: Counter[str] = Counter()
        self.acknowledged = 0  # alerts, those of the warm-up among them
        self.seconds: list[float] = []
        self.answered: list[str] = []
        head = f"POST {self._target.path} HTTP/1.1\r\nHost: {self._target.netloc}\r\nAuthorization: Bearer {options.secret}\r\n"
        self._head = (head + "Content-Type: application/json\r\nContent-Length: ").encode()

    async def run(self) -> None:
        """Warm up, then measure."""
        await self._phase(self._options.warm_up)
        self.status.clear()
        self.seconds.clear()
        self.answered.clear()
        self.began, cpu = time.perf_counter(), sum(os.times()[:2])
        await self._phase(self._options.seconds)
        self.wall, self.cpu = time.perf_counter() - self.began, sum(os.times()[:2]) - cpu

    async def _phase(self, seconds: float) -> None:
        stop = time.perf_counter() + seconds
        if not self._options.rate:
            await asyncio.gather(*(self._closed(stop) for _ in range(self._options.connections)))
            return
        due: asyncio.Queue[float] = asyncio.Queue()
        posting = [asyncio.create_task(self._paced(due)) for _ in range(self._options.connections)]
        each, at = self._options.alerts / self._options.rate, time.perf_counter()
        while at < stop:
            due.put_nowait(at)
            at += each
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
        for _ in posting:
            due.put_nowait(-1.0)
        await asyncio.gather(*posting)

    async def _closed(self, stop: float) -> None:
        reader, writer = await self._connect()
        while (now := time.perf_counter()) < stop:
            await self._post(reader, writer, now)
        writer.close()

    async def _paced(self, due: asyncio.Queue[float]) -> None:
        reader, writer = await self._connect()
        while (at := await due.get()) >= 0:
            await self._post(reader, writer, at)
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._target.hostname, self._target.port or 80)

    async def _post(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, since: float) -> None:
        body = self._bodies.next()
        writer.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        said = await reader.readexactly(length)
        self.status[head[9:12].decode()] += 1
        if head[9:10] == b"2":
            self.seconds.append(time.perf_counter() - since)
            self.acknowledged += self._options.alerts
            if self._options.record:
                self.answered.append(f"{said[13:49].decode()} {time.time():.6f}")

    def result(self) -> dict[str, object]:
        """What was measured."""
        waits = sorted(self.seconds)
        good = len(waits)
        return {
            "posts": good,
            "posts_per_s": round(good / self.wall, 1),
            "alerts_per_s": round(good * self._options.alerts / self.wall, 1),
            "status": dict(self.status),
            "ms": {f"p{int(p * 100)}": round(waits[min(good - 1, int(p * good))] * 1000, 1) for p in (0.5, 0.95, 0.99)} if waits else {},
            "wall_s": round(self.wall, 2),
            "generator_cpu_s": round(self.cpu, 2),
            "sent_alerts": self._bodies.made,
            "acknowledged_alerts": self.acknowledged,
        }


def main() -> None:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--alerts", type=int, default=20, help="alerts of one post")
    parser.add_argument("--rate", type=float, default=0, help="alerts a second; 0: as fast as it goes")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--run", default="r", help="another word makes other identities")
    parser.add_argument("--start", type=int, default=0, help="the first identity")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="where to write down what was answered when")
    options = parser.parse_args()
    load = Load(options)
    uvloop.run(load.run())
    if options.record:
        options.record.write_text("\n".join(load.answered))
    json.dump(load.result(), sys.stdout)


if __name__ == "__main__":
    main()
