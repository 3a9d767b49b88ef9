"""A map of a repository for a prompt: paths that the issue is likely about, with their top-level symbols, within a budget of tokens."""

import ast
import heapq
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.diff import TreeEntry
from bot.ports import Git

TOKENS = 6_000
CHARACTERS_A_TOKEN = 4
MAX_READ = 60
"""Files whose symbols are looked up; more would cost time, and a prompt has no room for them."""
MAX_SYMBOLS = 24
NOISE = frozenset(
    {"node_modules", "vendor", "dist", "build", "third_party", "__pycache__", ".git", ".venv", "coverage", "target"}
)
BINARY = frozenset(
    {"png", "jpg", "jpeg", "gif", "webp", "ico", "pdf", "zip", "gz", "tgz", "woff", "woff2", "ttf", "otf", "eot",
     "mp3", "mp4", "mov", "avi", "wasm", "so", "dll", "exe", "bin", "lock", "map", "snap", "jar", "class", "pyc"}
)  # fmt: skip
JAVASCRIPT = re.compile(
    r"^export\s+(?:default\s+)?(?:async\s+)?(?:abstract\s+)?(?:function\*?|class|const|let|interface|type|enum)\s+([A-Za-z_$][\w$]*)"
    r"|^(?:async\s+)?function\*?\s+([A-Za-z_$][\w$]*)|^class\s+([A-Za-z_$][\w$]*)",
    re.MULTILINE,
)
OTHER = re.compile(
    r"^(?:pub(?:\([a-z]+\))?\s+)?(?:func|fn|struct|trait|enum|type|def|class|module|interface)\s+(?:\([^)]*\)\s*)?([A-Za-z_]\w*)",
    re.MULTILINE,
)
WORD = re.compile(r"[A-Za-z][a-z0-9]+|[A-Z]{2,}(?![a-z])|[A-Za-z0-9]{3,}")
STOP = frozenset(
    {"the", "and", "for", "with", "that", "this", "from", "have", "has", "should", "would", "could", "when", "then",
     "there", "into", "not", "are", "was", "were", "will", "can", "use", "using", "add", "new", "make", "need",
     "like", "file", "files", "code", "issue", "please", "see", "also", "but", "all", "any", "one", "two", "get",
     "set", "its", "you", "your", "our", "src", "lib", "app", "test", "tests", "index", "main", "init"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """A path with its relevance to the issue; the map lists the higher first."""

    path: str
    score: float


def words(text: str) -> Counter[str]:
    """Words of a text or a path, split at case changes, lowered, without a plural's s; stop words left out."""
    found = (_stem(match.lower()) for match in WORD.findall(text))
    return Counter(word for word in found if word not in STOP and len(word) > 2)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def rank(paths: Sequence[str], issue: str) -> list[Ranked]:
    """Paths by relevance, then by name. Rare words weigh more, and most a path that the issue names."""
    wanted = words(issue)
    named = {token.strip(".").removeprefix("./") for token in re.findall(r"[\w./@+-]+", issue)}
    names = {token.rsplit("/", 1)[-1] for token in named if "." in token}
    split = _split(paths)
    spread = Counter(word for _, found in split for word in found & wanted.keys())
    ranked = []
    for path, found in split:
        score = sum((1 + min(wanted[word], 4) / 4) * 4 / (1 + spread[word] ** 0.5) for word in found & wanted.keys())
        if path in named:
            score += 20
        elif path.rsplit("/", 1)[-1] in names:
            score += 8
        ranked.append(Ranked(path, round(score - path.count("/") * 0.01, 4)))
    return sorted(ranked, key=lambda item: (-item.score, item.path))


def _split(paths: Sequence[str]) -> list[tuple[str, frozenset[str]]]:
    """Each path that counts with its words; a folder's words are found once, since thousands of files share it."""
    folders: dict[str, frozenset[str]] = {}
    out = []
    for path in paths:
        if not _noise(path):
            folder, _, name = path.rpartition("/")
            if folder not in folders:
                folders[folder] = frozenset(words(folder))
            out.append((path, folders[folder] | words(name).keys()))
    return out


def _noise(path: str) -> bool:
    return not NOISE.isdisjoint(path.split("/")) or path.rpartition(".")[2].lower() in BINARY


def symbols(path: str, text: str) -> tuple[str, ...]:
    """Top-level names that a file defines, in order, cheap and best effort: an unreadable file has none."""
    kind = path.rpartition(".")[2].lower()
    if kind == "py":
        return _python(text)
    if kind in ("js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte"):
        return _unique(next(filter(None, found), "") for found in JAVASCRIPT.findall(text))
    if kind in ("go", "rs", "rb", "java", "kt", "php", "cs", "swift", "ex"):
        return _unique(OTHER.findall(text))
    return ()


def _python(text: str) -> tuple[str, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a repository's bad escape sequences are its own business
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _unique(re.findall(r"^(?:async\s+def|def|class)\s+(\w+)", text, re.MULTILINE))
    return _unique(
        _signature(node) for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    )


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        methods = [item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
        public = [name for name in methods if not name.startswith("_")][:6]
        return f"{node.name}{{{', '.join(public)}}}" if public else node.name
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return f"{node.name}({', '.join(names[:6])})"


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_SYMBOLS]


async def read(
    git: Git, repo: str, sha: str, issue: str, *, tree: Sequence[TreeEntry] = (), tokens: int = TOKENS
) -> str:
    """The map at a SHA: first what is relevant with its symbols, then the shape of the rest, then how much was left out."""
    entries = tree or await git.tree(repo, sha)
    ranked = rank([entry.path for entry in entries if entry.mode.startswith("100")], issue)
    known: dict[str, tuple[str, ...]] = {}
    for item in ranked[:MAX_READ]:
        data = await git.blob(repo, sha, item.path, 200_000)
        if data is not None:
            known[item.path] = symbols(item.path, data.decode(errors="replace"))
    return render(ranked, known, total=len(entries), tokens=tokens)


def render(ranked: Sequence[Ranked], known: dict[str, tuple[str, ...]], *, total: int, tokens: int = TOKENS) -> str:
    """The map as text, never over the budget."""
    room = tokens * CHARACTERS_A_TOKEN - 200
    folders = _folders(ranked, room // 4)
    room -= sum(len(line) + 1 for line in folders)
    lines: list[str] = []
    for item in ranked:
        found = known.get(item.path, ())
        line = f"{item.path}: {', '.join(found)}" if found else item.path
        if len(line) + 1 > room:
            line = item.path
        if len(line) + 1 > room:
            break
        room -= len(line) + 1
        lines.append(line)
    left = total - len(lines)
    note = [f"({left} more of {total} files are not listed)"] if left else []
    return "\n".join(["Files, the likely relevant first:", *lines, *note, "Folders by number of files:", *folders])


def _folders(ranked: Sequence[Ranked], room: int) -> list[str]:
    sizes = Counter("/".join(item.path.split("/")[:-1][:2]) or "." for item in ranked)
    out = []
    for folder, count in heapq.nsmallest(40, sizes.items(), key=lambda item: (-item[1], item[0])):
        line = f"{folder}/ {count}"
        room -= len(line) + 1
        if room < 0:
            break
        out.append(line)
    return out
