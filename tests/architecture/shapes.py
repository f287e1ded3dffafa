"""What can be read off a source file: each rule takes the text and answers with what breaks it, one line a fault."""

import ast
import re
from collections.abc import Iterator

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
VAGUE = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services", "base", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
# What gives another answer the second time.
_VARYING_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "new_id", "time", "monotonic", "perf_counter", "random", "urandom"}
_VARYING_MODULES = {"time", "random", "secrets", "os", "asyncio"}


def unguarded_operations(source: str) -> list[str]:
    """Public functions that are neither `@operation(…)` nor `@entrance`."""
    return [f.name for f in _functions(ast.parse(source).body) if _is_public(f) and not _named(f) & {"operation", "entrance"}]


def varying(source: str) -> list[str]:
    """What asks for the time or for chance, instead of being given it."""
    tree = ast.parse(source)
    calls = [_last_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    imports = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imports += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [f"{name}()" for name in calls if name in _VARYING_CALLS] + [f"import {name}" for name in imports if name in _VARYING_MODULES]


def handlers(source: str) -> dict[str, list[str]]:
    """Every method of a state that is decorated with `rx.event`: its decorators from the outside in."""
    return {
        f"{owner.name}.{method.name}": _decorators(method)
        for owner in _states(source)
        for method in _functions(owner.body)
        if "event" in _named(method)
    }


def unguarded_handlers(source: str) -> list[str]:
    """Handlers that are not `@rx.event` over `@requires(…)` or `@open_to_all`."""
    return [name for name, found in handlers(source).items() if found[0] != "event" or found[1:] not in (["requires"], ["open_to_all"])]


def handlers_by_accident(source: str) -> list[str]:
    """Public methods of a state: the framework lets a browser call them by name."""
    spared = {"event", "var", "property", "staticmethod", "classmethod"}
    return [
        f"{owner.name}.{method.name}"
        for owner in _states(source)
        for method in _functions(owner.body)
        if _is_public(method) and not _named(method) & spared
    ]


def naive_times(source: str) -> list[str]:
    """Moments without a time zone."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name, given = _last_name(node.func), bool(node.args or node.keywords)
            zoned = len(node.args) > 1 or any(keyword.arg == "tz" for keyword in node.keywords)
            of_database = ast.unparse(node.func).startswith("func.")
            naive = (name == "now" and not given) or (name == "fromtimestamp" and not zoned)
            if name in ("utcnow", "utcfromtimestamp") or (naive and not of_database):
                found.append(f"{node.lineno}: {name}")
    return found


def broad_excepts(source: str) -> list[str]:
    """`except` of everything, but for those that tidy up and raise it again."""
    return [
        f"{node.lineno}: {ast.unparse(node.type) if node.type else 'bare'}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node.type) and not _raises_again(node)
    ]


def too_long(source: str) -> dict[str, int]:
    """The file (as "") and functions that are longer than allowed, with their lines."""
    tree = ast.parse(source)
    lines = {name: node.end_lineno - node.lineno + 1 for name, node in _with_owners(tree) if node.end_lineno}
    long = {name: count for name, count in lines.items() if count > LONGEST_FUNCTION}
    whole = len(source.splitlines())
    return long | ({"": whole} if whole > LONGEST_FILE else {})


def without_question(source: str) -> list[str]:
    """A module whose docstring does not begin with one whole line: what it answers, or what it is."""
    first = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
    return [] if first and first[-1] in ".?" else [first or "no docstring"]


def undocumented(source: str) -> list[str]:
    """Public functions, classes and methods without a docstring."""
    tree = ast.parse(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _is_public(node)]
    found: list[tuple[str, ast.ClassDef | Function]] = [(f.name, f) for f in _functions(tree.body)] + [(c.name, c) for c in classes]
    found += [(f"{c.name}.{m.name}", m) for c in classes for m in _functions(c.body)]
    return [name for name, node in found if _is_public(node) and not ast.get_docstring(node)]


def vague_name(path: str) -> list[str]:
    """Parts of a path that say nothing about what is in it."""
    words = re.split(r"[/._-]", path.removesuffix(".py"))
    return [word for word in words if word.lower() in VAGUE]


def own_looks(text: str) -> list[str]:
    """Colours, radii and sizes of type that are written out instead of taken from a token."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    literals = (
        r"""(?<![\w&/"'(-])#[0-9a-fA-F]{3,8}\b""",
        r"""["'(]#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})(?=["')])""",
        r"\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(",
        r"""border[-_]?(?:[a-z]+[-_]?)*radius["']?\s*[:=]\s*["']?[^;"'}]*\d(?:\.\d+)?(?:px|r?em)\b""",
        r"""font[-_]?size["']?\s*[:=]\s*["']?[\d.]+""",
        r"\bfont:\s*[^;}]*?(?<![\w-])[\d.]+(?:px|r?em|pt)\b",
    )
    return [match.group(0).strip() for literal in literals for match in re.finditer(literal, text, re.IGNORECASE)]


def unpinned(line: str) -> list[str]:
    """What a line of requirements lacks: an exact version, or why it is there."""
    if not line.strip() or line.startswith(("#", "-r ")):
        return []
    requirement, _, why = line.partition("#")
    faults = [] if re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[0-9][0-9A-Za-z.]*\s*", requirement) else ["pin"]
    return faults + ([] if why.strip() else ["comment"])


def imports(source: str) -> set[str]:
    """The top-level packages that a file imports, also inside functions."""
    tree = ast.parse(source)
    plain = {alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {(n.module or "").partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level == 0}


def mentioned(source: str) -> set[str]:
    """Every `module.name` that is spoken of."""
    nodes = ast.walk(ast.parse(source))
    return {f"{n.value.id}.{n.attr}" for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}


def _functions(body: list[ast.stmt]) -> list[Function]:
    return [node for node in body if isinstance(node, Function)]


def _states(source: str) -> list[ast.ClassDef]:
    classes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    return [node for node in classes if any((_last_name(parent) or "").endswith("State") for parent in node.bases)]


def _with_owners(node: ast.AST, before: str = "") -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        name = f"{before}{child.name}" if isinstance(child, ast.ClassDef | Function) else before
        if isinstance(child, Function):
            yield name, child
        yield from _with_owners(child, f"{name}." if isinstance(child, ast.ClassDef | Function) else before)


def _is_public(node: ast.ClassDef | Function) -> bool:
    return not node.name.startswith("_")


def _decorators(function: Function) -> list[str]:
    return [_last_name(d.func if isinstance(d, ast.Call) else d) or "" for d in function.decorator_list]


def _named(function: Function) -> set[str]:
    return set(_decorators(function))


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _catches_all(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or _last_name(each) in ("Exception", "BaseException") for each in kinds)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None
