"""Do all colours and sizes come from one place, and can everybody read what they make?"""

from pathlib import Path

import pytest

from aiops_ui import theme
from tests.architecture import shapes

pytestmark = pytest.mark.fast

PROJECT = Path(__file__).resolve().parents[2]
THEMES = {"dark": 0, "light": 1}
READABLE, VISIBLE = 4.5, 3.0

# text that brings a look of its own, what the rule says
OWN_LOOKS = [
    ("a { color: #fff; }", ["#fff"]),
    ("a { background: rgb(1 2 3); }", ["rgb("]),
    ("a { color: HSLA(1, 2%, 3%, 1); }", ["HSLA("]),
    ("a { border-radius: 4px; }", ["border-radius: 4px"]),
    ("a { border-top-left-radius: 0.5rem; }", ["border-top-left-radius: 0.5rem"]),
    ("a { font-size: 12px; }", ["font-size: 12"]),
    ("a { font: 600 13px/1.4 sans-serif; }", ["font: 600 13px"]),
    ('el.div(style={"color": "#aabbcc"})', ['"#aabbcc']),
    ('el.div(border_radius="8px")', ['border_radius="8px']),
    ('el.div(style={"fontSize": "11px"})', ['fontSize": "11']),
    ('el.div(font_size="11px")', ['font_size="11']),
]
FROM_TOKENS = [
    "a { color: var(--text); border-radius: var(--radius-card); font-size: var(--size-label); }",
    "html { font: var(--weight-body) var(--size-body)/1.45 var(--font-text); }",
    'el.a("Skip", href="#content")',
    "/* see #123456 */",
    "a { background: color-mix(in srgb, var(--background) 70%, transparent); }",
    "a { background: linear-gradient(45deg, transparent 50%, var(--soft) 50%); }",
]


@pytest.mark.parametrize(("text", "says"), OWN_LOOKS)
def test_a_look_of_its_own_is_noticed(text: str, says: list[str]) -> None:
    assert shapes.own_looks(text) == says


@pytest.mark.parametrize("text", FROM_TOKENS)
def test_a_look_from_tokens_is_none_of_its_own(text: str) -> None:
    assert shapes.own_looks(text) == []


def test_looks_are_written_in_the_theme_alone() -> None:
    files = [PROJECT / "assets" / "style.css", *(PROJECT / "aiops_ui").rglob("*.py"), *(PROJECT / "aiops_ui").rglob("*.jsx")]
    assert len(files) > 15
    found = {str(file.relative_to(PROJECT)): shapes.own_looks(file.read_text()) for file in files if file.name != "theme.py"}
    assert {name: looks for name, looks in found.items() if looks} == {}


def test_the_style_sheet_of_tokens_is_that_of_the_theme() -> None:
    assert (PROJECT / "assets" / "tokens.css").read_text() == theme.css(), "run `python -m aiops_ui.theme`"


def test_every_token_that_is_used_exists() -> None:
    text = (PROJECT / "assets" / "style.css").read_text()
    used = {name.partition(")")[0] for name in text.split("var(--")[1:]}
    assert used - {*theme.COLOURS, *theme.MEASURES, *(f"{name}-tint" for name in theme.TINTED)} == set()


@pytest.mark.parametrize("look", THEMES)
def test_text_is_readable_on_every_ground(look: str) -> None:
    pairs = [(text, ground) for text in theme.TEXTS for ground in theme.GROUNDS]
    assert too_faint({(a, b): contrast(colour(a, look), colour(b, look)) for a, b in pairs}, READABLE) == {}


@pytest.mark.parametrize("look", THEMES)
def test_marks_and_controls_are_visible_on_every_ground(look: str) -> None:
    pairs = [(mark, ground) for mark in theme.MARKS for ground in theme.GROUNDS]
    assert too_faint({(a, b): contrast(colour(a, look), colour(b, look)) for a, b in pairs}, VISIBLE) == {}


@pytest.mark.parametrize("look", THEMES)
def test_text_is_readable_on_its_own_tint(look: str) -> None:
    panel = colour("panel", look)
    tinted = {name: colour(name, look) for name in theme.TINTED}
    found = {(name, "tint"): contrast(text, mixed(text, panel, theme.TINT)) for name, text in tinted.items()}
    assert too_faint(found, READABLE) == {}


@pytest.mark.parametrize("look", THEMES)
def test_text_is_readable_on_a_button_of_the_accent(look: str) -> None:
    assert contrast(colour("on-accent", look), colour("accent", look)) >= READABLE


# two colours, the contrast that the standard gives them
KNOWN = [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("#123456", "#123456", 1.0)]


@pytest.mark.parametrize(("one", "other", "expected"), KNOWN)
def test_contrast_is_that_of_the_standard(one: str, other: str, expected: float) -> None:
    assert contrast(parsed(one), parsed(other)) == pytest.approx(expected, abs=0.005)
    assert contrast(parsed(other), parsed(one)) == pytest.approx(expected, abs=0.005)


Colour = tuple[float, float, float]


def colour(name: str, look: str) -> Colour:
    """A token's colour in a theme."""
    return parsed(theme.COLOURS[name][THEMES[look]])


def parsed(text: str) -> Colour:
    """Red, green, blue from 0 to 1."""
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def mixed(over: Colour, under: Colour, share: float) -> Colour:
    """A colour that lets another shine through."""
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(over, under, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def too_faint(ratios: dict[tuple[str, str], float], least: float) -> dict[tuple[str, str], float]:
    """The pairs below what is needed."""
    return {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < least}


def _luminance(of: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in of)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
