"""Parts that act in the browser alone: keys, the palette, what calls for attention, what is kept for when the line is down."""

from typing import Any

import reflex as rx
from reflex.event import passthrough_event_spec

_HANDS = rx.asset("hands.jsx", shared=True).importable_path
_DRAFTS = rx.asset("drafts.jsx", shared=True).importable_path
_PALETTE = rx.asset("palette.jsx", shared=True).importable_path
_ATTENTION = rx.asset("attention.jsx", shared=True).importable_path


class Keys(rx.Component):
    """Keys and clicks, on every page."""

    library = _HANDS
    tag = "Keys"


class Hands(rx.Component):
    """Acts on the rows that are marked, or on the page's own thing: `on_act(act, ids)`. `settled` changes when one was answered."""

    library = _HANDS
    tag = "Hands"

    settled: rx.Var[int]
    on_act: rx.EventHandler[passthrough_event_spec(str, list[str])]


class Reading(rx.Component):
    """Says whether somebody reads the list, so that new rows wait."""

    library = _HANDS
    tag = "Reading"

    on_reading: rx.EventHandler[passthrough_event_spec(bool)]


class Address(rx.Component):
    """Shows the filters in the page's address."""

    library = _HANDS
    tag = "Address"

    query: rx.Var[str]


class Following(rx.Component):
    """Shows a list, by its id, at its end while it grows."""

    library = _HANDS
    tag = "Following"

    of: rx.Var[str]
    count: rx.Var[int]


class Drafts(rx.Component):
    """Keeps what is typed, on every page, over a lost connection."""

    library = _DRAFTS
    tag = "Drafts"

    lost: rx.Var[bool]


class Palette(rx.Component):
    """Pages, incidents and acts by a few letters."""

    library = _PALETTE
    tag = "Palette"

    places: rx.Var[list[dict[str, str]]]
    allowed: rx.Var[list[str]]
    found: rx.Var[list[Any]]
    on_words: rx.EventHandler[passthrough_event_spec(str)]
    on_go: rx.EventHandler[passthrough_event_spec(str)]


class Attention(rx.Component):
    """The count in the tab's title, a sound, a notification."""

    library = _ATTENTION
    tag = "Attention"

    count: rx.Var[int]
    number: rx.Var[int]
    title: rx.Var[str]


class Callers(rx.Component):
    """The switches for sound and notifications of this browser."""

    library = _ATTENTION
    tag = "Callers"


class Remembered(rx.Component):
    """Keeps the incidents that were seen, to be read when the line is down."""

    library = _ATTENTION
    tag = "Remembered"

    incidents: rx.Var[list[dict[str, Any]]]


class Forgotten(rx.Component):
    """Forgets them again."""

    library = _ATTENTION
    tag = "Forgotten"
