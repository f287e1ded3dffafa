"""By which key does Alertmanager know an alert? A 64-bit FNV-1a hash of its sorted labels (prometheus/common, model.LabelSet)."""

from collections.abc import Mapping
from functools import lru_cache

_OFFSET = 14_695_981_039_346_656_037
_PRIME = 1_099_511_628_211
_MASK = 0xFFFF_FFFF_FFFF_FFFF
_CACHED_TO = 2_000  # characters: a longer identity is hashed each time, so that the cache stays small


def fingerprint(labels: Mapping[str, str]) -> str:
    """The hash as Alertmanager writes it: 16 hexadecimal digits. A label without a value is no label.

    Names and values hold no NUL; `lenient.words` has seen to that.
    """
    parts = [part for pair in sorted(labels.items()) if pair[1] for part in pair]
    joined = "\0".join([*parts, ""])
    return _remembered(joined) if len(joined) <= _CACHED_TO else _hashed(joined)


def _hashed(joined: str) -> str:
    found = _OFFSET
    for byte in joined.encode("utf-8", "replace").replace(b"\0", b"\xff"):
        found = ((found ^ byte) * _PRIME) & _MASK
    return f"{found:016x}"


_remembered = lru_cache(maxsize=16_384)(_hashed)
