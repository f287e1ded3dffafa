"""Is this alert known, and what does hearing it now change?

An alert's state is a function of what was heard, not of the order it came in: it goes on exactly when the latest start heard
of is later than the latest end heard of. So a delivery that is late, repeated or out of order changes nothing twice. A sender
that says no times is read in the order of receipt.
"""

from datetime import datetime, timedelta

from engine.model.heard import Known, Memory, Policy, Told
from engine.model.vocabulary import AlertEntryKind as Kind

MOST_EPISODES = 16
_MOST_CHANGES = 32
_STALE_LEAST = timedelta(minutes=15)
_STALE_INTERVALS = 4
# Closed by time, not by anybody's word: hearing the same start again opens it.
SOFT = ("stale", "timed_out")


def is_same(memory: Memory, now: datetime, policy: Policy) -> bool:
    """Whether hearing this identity now is about this alert, and not about a new one."""
    return memory.closed_at is None or (now - memory.closed_at).total_seconds() <= policy.refire


def hear(memory: Memory, known: Known, now: datetime, policy: Policy, repeated: bool) -> Told:
    """Apply one hearing to what is remembered, in place, and say what it was.

    `repeated`: the very same body came within five minutes, so it counts once.
    """
    memory.last_seen_at = max(memory.last_seen_at, now)
    memory.deliveries += not repeated or not memory.deliveries
    if known.heard.acknowledged_by and memory.acknowledged_at is None:
        memory.acknowledged_at, memory.acknowledged_by, memory.is_changed = now, known.heard.acknowledged_by, True
    fired, flapped, before, first = memory.firing, memory.flapping, memory.severity, not memory.count
    told = _fired(memory, known, now, policy) if known.heard.firing else _ended(memory, known, now, policy)
    if repeated and told.kind is Kind.HEARD:
        told.kind = Kind.REPEATED
    if memory.firing and memory.check_at is None and (check_at := next_check(memory, policy)) is not None:
        memory.check_at, memory.is_changed = check_at, True
    told.went_on = fired and memory.firing
    told.severity, told.severity_before = memory.severity, before
    told.changed_severity = before is not memory.severity and not first
    told.flapping, told.began_to_flap = memory.flapping, memory.flapping and not flapped
    if told.began_to_flap:
        told.said = f"it flaps: {len(memory.changes)} changes within {policy.flap / 60:.0f} minutes"
    memory.is_changed = memory.is_changed or told.changed_severity
    return told


def _fired(memory: Memory, known: Known, now: datetime, policy: Policy) -> Told:
    if known.heard.bare and memory.closed_at is not None:
        return Told(Kind.LATE, said="it says no more than that it goes on, and it is over")
    starts_at = _start_of(memory, known, now)
    is_first = not memory.count
    is_episode = _remember(memory, starts_at)
    is_latest = is_first or memory.starts_at is None or starts_at >= memory.starts_at
    if memory.ended_at is not None and starts_at <= memory.ended_at:
        # a late event counts, but does not move the alert back in time
        if is_latest and is_episode:
            _take(memory, known, starts_at)
        return Told(Kind.LATE, said=f"it tells of a start before the end at {memory.ended_at:%Y-%m-%d %H:%M:%S} UTC")
    if not is_latest:
        if memory.firing or memory.closed_by not in SOFT:
            return Told(Kind.LATE if is_episode else Kind.HEARD)
        _change(memory, now, policy, firing=True)  # one of a pair still tells of its own, older start
        return Told(Kind.REOPENED)
    _take(memory, known, starts_at)
    if memory.firing:
        return Told(Kind.REFIRED if is_episode else Kind.HEARD)
    if memory.closed_at is None:
        memory.firing = memory.is_changed = True
        memory.check_at = next_check(memory, policy)
        return Told(Kind.OPENED)
    _change(memory, now, policy, firing=True)
    return Told(Kind.REFIRED if is_episode else Kind.REOPENED)


def _start_of(memory: Memory, known: Known, now: datetime) -> datetime:
    """The start that a hearing tells of. It extends the alert, too, when its sender says how long it is good for."""
    expires_at, starts_at = known.heard.expires_at, known.heard.starts_at
    if expires_at is not None and (memory.expires_at is None or expires_at > memory.expires_at):
        memory.expires_at = expires_at
    if starts_at is not None:
        return starts_at
    # The sender says no times: while it goes on it is the same start, after an end a new one.
    return memory.starts_at if memory.firing and memory.starts_at is not None else now


def _take(memory: Memory, known: Known, starts_at: datetime) -> None:
    """Take over what the latest start says of the alert."""
    memory.starts_at = starts_at
    if known.heard.bare and memory.deliveries > 1:
        return
    memory.severity = known.severity
    if known.content != memory.content:
        memory.known, memory.content, memory.is_changed = known, known.content, True


def _ended(memory: Memory, known: Known, now: datetime, policy: Policy) -> Told:
    heard = known.heard
    ended_at = heard.ends_at or _said_now(memory, now)
    if heard.starts_at is not None and ended_at < heard.starts_at:
        ended_at = heard.starts_at  # no negative durations
    if not memory.count and _is_later(memory, ended_at, heard.starts_at):  # nothing better is known than its latest end
        memory.starts_at, memory.severity = heard.starts_at, known.severity
        memory.known, memory.content, memory.is_changed = known, known.content, True
    if memory.ended_at is None or ended_at > memory.ended_at:
        memory.ended_at, memory.is_changed = ended_at, True
    if not memory.count and memory.closed_at is None:
        memory.closed_at, memory.closed_by, memory.ends_at = now, "sender", memory.ended_at
        memory.check_at = next_check(memory, policy)
        return Told(Kind.RESOLVED, said="its end was heard before any start, so no incident was opened")
    if memory.starts_at is not None and memory.count and memory.ended_at < memory.starts_at:
        return Told(Kind.LATE, said=f"it tells of an end before the start at {memory.starts_at:%Y-%m-%d %H:%M:%S} UTC")
    memory.ends_at = memory.ended_at
    if not memory.firing:
        if memory.closed_by in SOFT:
            memory.closed_by = "sender"
        return Told(Kind.HEARD)
    memory.closed_by = "sender"
    _change(memory, now, policy, firing=False)
    return Told(Kind.RESOLVED)


def _is_later(memory: Memory, ended_at: datetime, starts_at: datetime | None) -> bool:
    if memory.ended_at is None or ended_at > memory.ended_at:
        return True
    return ended_at == memory.ended_at and starts_at is not None and (memory.starts_at is None or starts_at > memory.starts_at)


def _said_now(memory: Memory, now: datetime) -> datetime:
    """The end that a sender tells of without a time: when it was heard, and not before a start by a clock that is ahead."""
    if not memory.firing and memory.ended_at is not None:
        return memory.ended_at
    return max(now, memory.starts_at or now)


def close(memory: Memory, now: datetime, policy: Policy, by: str) -> None:
    """End a firing alert without the sender's word: by time (`stale`, `timed_out`) or by a person."""
    memory.closed_by = by
    memory.ends_at = memory.expires_at if by == "timed_out" and memory.expires_at else now
    if by not in SOFT:
        memory.ended_at = max(now, memory.ended_at or now, memory.starts_at or now)
    _change(memory, now, policy, firing=False)


def _change(memory: Memory, now: datetime, policy: Policy, *, firing: bool) -> None:
    """Change between firing and resolved, and see whether it flaps."""
    memory.firing, memory.is_changed = firing, True
    memory.closed_at = None if firing else now
    if firing:
        memory.closed_by = memory.ends_at = memory.acknowledged_at = memory.acknowledged_by = None
        if memory.expires_at is not None and memory.expires_at <= now:
            memory.expires_at = None
    since = now - timedelta(seconds=policy.flap)
    memory.changes = [at for at in memory.changes if at > since][-max(_MOST_CHANGES, policy.flap_changes) :] + [now]
    memory.flapping = memory.flapping or len(memory.changes) >= policy.flap_changes
    memory.check_at = next_check(memory, policy)


def _remember(memory: Memory, starts_at: datetime) -> bool:
    """Remember a start. Returns whether it is a new one, which counts."""
    if starts_at in memory.episodes:
        return False
    full = len(memory.episodes) >= MOST_EPISODES
    if full and starts_at < memory.episodes[0]:
        return False  # so old that it was counted long ago, or never mattered
    memory.episodes = sorted([*memory.episodes, starts_at])[-MOST_EPISODES:]
    memory.count += 1
    memory.is_changed = True
    return True


def next_check(memory: Memory, policy: Policy) -> datetime | None:
    """When time alone may change something: it expires, is stale, stops flapping, or is past its re-fire window."""
    found: list[datetime] = []
    if memory.firing:
        if memory.expires_at is not None:
            found.append(memory.expires_at)
        elif (stale_at := _stale_at(memory, policy)) is not None:
            found.append(stale_at)
    elif memory.closed_at is not None:
        found.append(memory.closed_at + timedelta(seconds=policy.refire))
    if memory.flapping and memory.changes:
        found.append(memory.changes[-1] + timedelta(seconds=policy.flap))
    return min(found) if found else None


def due(memory: Memory, now: datetime, policy: Policy) -> Kind | None:
    """What time has done to an alert: timed out, stale, steady again; None: nothing yet, or it is past its re-fire window."""
    if memory.firing and memory.expires_at is not None and memory.expires_at <= now:
        return Kind.TIMED_OUT
    stale_at = _stale_at(memory, policy) if memory.firing and memory.expires_at is None else None
    if stale_at is not None and stale_at <= now:
        return Kind.STALE
    if memory.flapping and memory.changes and memory.changes[-1] + timedelta(seconds=policy.flap) <= now:
        return Kind.STEADY
    return None


def _stale_at(memory: Memory, policy: Policy) -> datetime | None:
    if policy.stale:
        return memory.last_seen_at + timedelta(seconds=policy.stale)
    if not policy.resends or memory.deliveries < 2:
        return None
    interval = (memory.last_seen_at - memory.first_seen_at) / (memory.deliveries - 1)
    return memory.last_seen_at + max(_STALE_INTERVALS * interval, _STALE_LEAST)
