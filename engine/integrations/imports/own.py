"""What does a file say that we have written ourselves, or somebody in the same words?"""

from collections.abc import Mapping
from typing import Any, cast

from engine.errors import Invalid
from engine.integrations.imports.contract import Imported

PARTS = ("extractions", "mappings", "rules", "inhibitions")


def read(document: Any) -> Imported:
    """Read rules, extractions, mappings and inhibitions, as docs/rules.md describes them. Raises Invalid when there are none."""
    if not isinstance(document, Mapping) or not any(name in document for name in PARTS):
        raise Invalid.field("text", f"This has none of {', '.join(PARTS)}.")
    found = Imported()
    for name, listed in cast(Mapping[str, Any], document).items():
        if name not in PARTS:
            found.leave(name, f"there is no such part; there are {', '.join(PARTS)}")
            continue
        for number, spec in enumerate(listed if isinstance(listed, list) else [listed]):
            if isinstance(spec, Mapping) and isinstance(spec.get("name"), str):
                kept = dict(cast(Mapping[str, Any], spec))
                getattr(found, name).append(kept)
                found.take(f"{name}[{number}]", f"“{kept['name']}”", kept)
            else:
                found.leave(f"{name}[{number}]", "it has no name")
    return found
