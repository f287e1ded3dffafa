"""Which colours, sizes and shapes are there, by meaning?

The one place for them. `python -m aiops_ui.theme` writes assets/tokens.css, which the style sheet uses by name; a test
keeps the two in step and checks the contrast of every pair that is shown.
"""

from pathlib import Path

# Each token in dark, then in light.
COLOURS: dict[str, tuple[str, str]] = {
    "background": ("#0b0e13", "#f5f6f8"),
    "panel": ("#11151c", "#ffffff"),
    "raised": ("#171c25", "#f1f3f6"),
    "line": ("#222936", "#e1e5eb"),
    "strong-line": ("#2e3747", "#cfd5de"),
    "control-border": ("#66738a", "#7d8696"),
    "text": ("#e7ebf2", "#171c26"),
    "soft": ("#a3adbd", "#4c5667"),
    "muted": ("#8a97aa", "#5a6476"),
    "critical": ("#ff5c68", "#c9182b"),
    "error": ("#ff9148", "#b34a00"),
    "warning": ("#f4c342", "#8a6100"),
    "info": ("#6bb6ff", "#0f62b5"),
    "good": ("#3ecf8e", "#0c7a4d"),
    "suggested": ("#9a8cff", "#5b46d6"),
    "accent": ("#5b9dff", "#1f66d6"),
    "on-accent": ("#0b0e13", "#ffffff"),
}
# Sizes and shapes; the same in both themes.
MEASURES: dict[str, str] = {
    "size-title": "20px",
    "size-body": "13.5px",
    "size-head": "13px",
    "size-label": "12px",
    "size-mono": "12px",
    "size-number": "26px",
    "weight-title": "620",
    "weight-head": "600",
    "weight-label": "500",
    "weight-body": "400",
    "radius-card": "10px",
    "radius-control": "7px",
    "radius-pill": "999px",
    "radius-mark": "1px",
    "row": "38px",
    "touch": "46px",
    "space": "8px",
    "sidebar": "212px",
    "sidebar-icons": "56px",
    "topbar": "49px",
    "aside": "372px",
    "aside-narrow": "340px",
    "content": "1600px",
    "font-text": '"Inter Variable", system-ui, sans-serif',
    "font-mono": '"JetBrains Mono Variable", ui-monospace, monospace',
}
# Text on grounds: 4.5:1. Marks and borders of controls on grounds: 3:1.
TEXTS = ("text", "soft", "muted", "critical", "error", "warning", "info", "good", "suggested", "accent")
GROUNDS = ("background", "panel", "raised")
MARKS = ("control-border", "accent")
# A tint lies on a panel whatever is below it, such as a row under the cursor: so text of its colour is readable on it.
TINT = 0.10
TINTED = ("critical", "error", "warning", "info", "good", "suggested", "accent")

_FILE = Path(__file__).resolve().parents[1] / "assets" / "tokens.css"


def css() -> str:
    """The style sheet of tokens: both themes, and what is the same in both."""
    blocks = ["/* Made by `python -m aiops_ui.theme`; change aiops_ui/theme.py. */"]
    for theme, place in (("dark", 0), ("light", 1)):
        lines = [f"  --{name}: {pair[place]};" for name, pair in COLOURS.items()]
        lines += [f"  --{name}-tint: color-mix(in srgb, var(--{name}) {TINT:.0%}, var(--panel));" for name in TINTED]
        selector = ":root, .dark" if theme == "dark" else ".light"
        blocks.append(f"{selector} {{\n  color-scheme: {theme};\n" + "\n".join(lines) + "\n}")
    blocks.append(":root {\n" + "\n".join(f"  --{name}: {value};" for name, value in MEASURES.items()) + "\n}")
    return "\n".join(blocks) + "\n"


if __name__ == "__main__":
    _FILE.write_text(css())
