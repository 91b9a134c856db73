# SPDX-License-Identifier: GPL-3.0-or-later
"""One text for two engines: what is written for SQLite, spelled for PostgreSQL.

The rules are few and closed, docs/decisions/0015-two-databases.md lists them. What has no common spelling is refused here, with a
line that says what to write instead; what only PostgreSQL can find (types, ambiguous names, GROUP BY) is found by the test
db/db, which has it prepare every statement.
"""

import re

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
    |(?P<string>'(?:[^']|'')*')
    |(?P<ident>"(?:[^"]|"")*")
    |(?P<param>\?\d*)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<op>->>|->|\|\||<>|<=|>=|!=|==|[-+*/%<>=(),.;&|~])""",
    re.VERBOSE,
)

# What each function of SQLite is in PostgreSQL; those of src/db/postgresql.sql need no translation.
RENAMED = {
    "ifnull": "coalesce",
    "instr": "strpos",
    "json_array": "json_build_array",
    "json_object": "json_build_object",
}
REFUSED_CALLS = {
    "char": "",
    "changes": "ask db_run() for the number of changes",
    "date": "times are microseconds, reckoned in C",
    "datetime": "times are microseconds, reckoned in C",
    "glob": "compare in C, or use LIKE",
    "hex": "",
    "json_insert": "build JSON in C",
    "json_patch": "build JSON in C",
    "json_remove": "build JSON in C",
    "json_replace": "build JSON in C",
    "json_set": "build JSON in C",
    "json_tree": "",
    "json_type": "",
    "json_valid": "",
    "julianday": "times are microseconds, reckoned in C",
    "last_insert_rowid": "use RETURNING",
    "printf": "write format('%s of %s', a, b)",
    "quote": "",
    "random": "take random numbers in C",
    "randomblob": "take random numbers in C",
    "strftime": "times are microseconds, reckoned in C",
    "total": "write coalesce(sum(x), 0)",
    "total_changes": "ask db_run() for the number of changes",
    "typeof": "",
    "unicode": "",
    "zeroblob": "",
}
REFUSED_WORDS = {
    "attach": "",
    "blob": "a database value is a number or a text",
    "detach": "",
    "glob": "compare in C, or use LIKE",
    "indexed": "",
    "isnull": "write IS NULL",
    "match": "",
    "notnull": "write IS NOT NULL",
    "pragma": "give it to SQLite alone: -- only sqlite",
    "raise": "give the trigger to each engine by itself: -- only sqlite, -- only postgresql",
    "real": "a database value is a number without fraction, or a text",
    "regexp": "",
    "replace": "write ON CONFLICT (key) DO UPDATE",
    "trigger": "give it to each engine by itself: -- only sqlite, -- only postgresql",
    "vacuum": "",
    "virtual": "",
}
IS_KEPT = {"null", "true", "false", "distinct"}
# Between a parameter and a number
BESIDE = {"=", "<>", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "%"}
JSON_PATH = re.compile(r"'\$(\.[A-Za-z_][A-Za-z0-9_]*|\[\d+\])+'")


class Refused(Exception):
    """There is no common spelling."""


def tokens_of(text: str) -> list:
    out = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Refused(f"PostgreSQL has no such thing as: {text[at:at + 20]!r}")
        out.append((match.lastgroup, match.group()))
        at = match.end()
    return out


def params_of(text: str) -> set:
    return {token for kind, token in tokens_of(text) if kind == "param"}


def is_read(text: str) -> bool:
    """Whether it changes nothing."""
    words = [token.lower() for kind, token in tokens_of(text) if kind == "word"]
    return words[0] in ("select", "with") and not {"insert", "update", "delete"} & set(words)


def skip_space(tokens: list, at: int) -> int:
    while at < len(tokens) and tokens[at][0] == "space":
        at += 1
    return at


def word_at(tokens: list, at: int) -> str:
    at = skip_space(tokens, at)
    return tokens[at][1].lower() if at < len(tokens) and tokens[at][0] == "word" else ""


def end_of_group(tokens: list, at: int) -> int:
    """The index of the ) that belongs to the ( at @at."""
    depth = 0
    for i in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[i][1], 0) if tokens[i][0] == "op" else 0
        if depth == 0:
            return i
    raise Refused("a parenthesis is not closed")


def arguments_of(tokens: list) -> list:
    """Split at the commas of the outermost level."""
    out = [[]]
    depth = 0
    for token in tokens:
        if token[0] == "op":
            depth += {"(": 1, ")": -1}.get(token[1], 0)
            if token[1] == "," and depth == 0:
                out.append([])
                continue
        out[-1].append(token)
    return out


class Statement:
    """The translation of one statement."""

    def __init__(self, text: str):
        self.tokens = tokens_of(text)
        self.seen = set()
        self.beside = BESIDE
        words = [token.lower() for kind, token in self.tokens if kind == "word"]
        self.is_table = words[:1] in (["create"], ["alter"]) and "table" in words[:3]
        if words[:2] in (["insert", "or"], ["update", "or"]):
            raise Refused("INSERT OR, UPDATE OR: write ON CONFLICT")
        if self.is_table and words[0] == "create" and "as" not in words[:8] and words[-1] != "strict":
            raise Refused("CREATE TABLE: make it STRICT")

    def call(self, name: str, inside: list) -> str:
        if name in REFUSED_CALLS:
            raise Refused(f"{name}(): {REFUSED_CALLS[name] or 'only SQLite has it'}")
        arguments = [self.run(a).strip() for a in arguments_of(inside)]
        if name == "iif":
            if len(arguments) != 3:
                raise Refused("iif() wants three arguments")
            return f"CASE WHEN {arguments[0]} THEN {arguments[1]} ELSE {arguments[2]} END"
        if name in ("max", "min") and len(arguments) > 1:
            return f"{'greatest' if name == 'max' else 'least'}({', '.join(arguments)})"
        if name == "json_group_array":
            return f"coalesce(json_agg({', '.join(arguments)}), '[]'::json)"
        if name == "json":
            return f"cast({arguments[0]} AS json)"
        if name == "json_array_length":
            return f"json_array_length(cast({arguments[0]} AS json))"
        if name == "group_concat":
            return f"string_agg({arguments[0]}, {arguments[1] if len(arguments) > 1 else chr(39) + ',' + chr(39)})"
        if name == "format" and re.search(r"%[^s%]", arguments[0]):
            raise Refused("format(): only %s is the same in both")
        if name == "json_extract" and (len(arguments) != 2 or not JSON_PATH.fullmatch(arguments[1])):
            raise Refused("json_extract(): the path is one literal like '$.a.b' or '$.a[0]'")
        if name in ("coalesce", "ifnull", "nullif"):
            self.beside = BESIDE | {","}
        text = f"{RENAMED.get(name, name)}({self.run(inside)})"
        self.beside = BESIDE
        return text

    def text_type(self, tokens: list, at: int) -> str:
        """TEXT of a column: compared byte by byte, as SQLite does, unless it says otherwise."""
        depth = 0
        for i in range(at + 1, len(tokens)):
            kind, token = tokens[i]
            depth += {"(": 1, ")": -1}.get(token, 0) if kind == "op" else 0
            if depth < 0 or (depth == 0 and token in (",", ";")):
                break
            if kind == "word" and token.lower() == "collate":
                return "text"
        return 'text COLLATE "C"'

    def word(self, tokens: list, at: int) -> tuple:
        """What stands for the word at @at, and where to go on."""
        token = tokens[at][1]
        lower = token.lower()
        after = skip_space(tokens, at + 1)
        is_call = after < len(tokens) and tokens[after] == ("op", "(")
        if is_call and lower == "replace":
            return token, at + 1
        if is_call and (lower in REFUSED_CALLS or after == at + 1) and lower not in ("in", "values", "exists", "cast"):
            end = end_of_group(tokens, after)
            return self.call(lower, tokens[after + 1 : end]), end + 1
        if lower in REFUSED_WORDS:
            raise Refused(f"{token}: {REFUSED_WORDS[lower] or 'only SQLite has it'}")
        if lower in ("integer", "int"):
            return "bigint", at + 1
        before = [t for t in tokens[:at] if t[0] != "space"][-1:]
        is_name = not before or before[0][1] in ("(", ",", ".")  # of a column, like that of a type
        if lower == "text" and self.is_table and not is_name:
            return self.text_type(tokens, at), at + 1
        if lower == "autoincrement":
            return "GENERATED BY DEFAULT AS IDENTITY", at + 1
        if lower == "strict":
            return "", at + 1
        if lower == "collate":
            name = word_at(tokens, at + 1)
            if name not in ("nocase", "binary"):
                raise Refused(f"COLLATE {name}: only NOCASE and BINARY are known")
            return 'COLLATE "C"' if name == "binary" else "COLLATE nocase", after + 1
        if lower == "is":
            return self.compare(tokens, at)
        if lower == "like" or (lower == "not" and word_at(tokens, at + 1) == "like"):
            return self.like(tokens, at)
        if lower == "conflict" and word_at(tokens, at + 1) == "do":
            if tokens[skip_space(tokens, after + 1)][1].lower() != "nothing":
                raise Refused("ON CONFLICT DO UPDATE: name the key, ON CONFLICT (key) DO UPDATE")
        return token, at + 1

    @staticmethod
    def compare(tokens: list, at: int) -> tuple:
        """IS with any value on its right is a comparison that knows NULL."""
        first = word_at(tokens, at + 1)
        if first in IS_KEPT:
            return "IS", at + 1
        if first != "not":
            return "IS NOT DISTINCT FROM", at + 1
        behind = skip_space(tokens, at + 1)
        if word_at(tokens, behind + 1) in IS_KEPT:
            return "IS NOT", behind + 1
        return "IS DISTINCT FROM", behind + 1

    @staticmethod
    def like(tokens: list, at: int) -> tuple:
        """SQLite's LIKE knows no case of ASCII, and no escape but the one it is given."""
        is_not = tokens[at][1].lower() == "not"
        end = skip_space(tokens, at + 1) if is_not else at
        pattern = skip_space(tokens, end + 1)
        is_plain = tokens[pattern][0] == "string" and "\\" not in tokens[pattern][1]
        if not is_plain and "escape" not in [token.lower() for _, token in tokens[pattern:]]:
            raise Refused("LIKE: a pattern that is no literal wants ESCAPE")
        return f'COLLATE "C" {"NOT " if is_not else ""}ILIKE', end + 1

    def param(self, tokens: list, at: int) -> str:
        """PostgreSQL finds a parameter's type where it stands first; numbers beside it are all of 64 bits here."""
        token = tokens[at][1]
        if token == "?":
            raise Refused("a parameter has a number: ?1")
        if token not in self.seen and word_at(tokens, at + 1) == "is":
            raise Refused(f"{token} IS: compare it first, (x = {token} OR {token} IS NULL), for its type to be known")
        self.seen.add(token)
        before = [t for t in tokens[:at] if t[0] != "space"][-2:][::-1]
        after = [t for t in tokens[at + 1 :] if t[0] != "space"][:2]
        is_number = any(len(x) == 2 and x[0][1] in self.beside and x[1][0] == "number" for x in (before, after))
        return f"cast(${token[1:]} AS bigint)" if is_number else "$" + token[1:]

    def run(self, tokens: list) -> str:
        out = []
        at = 0
        while at < len(tokens):
            kind, token = tokens[at]
            if kind == "word":
                text, at = self.word(tokens, at)
                out.append(text)
                continue
            if kind == "param":
                token = self.param(tokens, at)
            if token in ("->", "->>"):
                raise Refused(f"{token}: write json_extract()")
            out.append("=" if token == "==" else token)
            at += 1
        return "".join(out)


def check_params(text: str) -> None:
    numbers = sorted(int(p[1:] or 0) for p in params_of(text))
    if numbers != list(range(1, len(numbers) + 1)):
        raise Refused(f"parameters are ?1, ?2 … without a gap, not {numbers}")


def to_postgresql(text: str) -> str:
    """One statement without its semicolon."""
    check_params(text)
    statement = Statement(text)
    return re.sub(r"[ \t]+\n", "\n", statement.run(statement.tokens)).strip()


def own_postgresql(text: str) -> str:
    """A text that was written for PostgreSQL: only its parameters are spelled as everywhere here."""
    return re.sub(r"\?(\d+)", r"$\1", text)


def split(script: str) -> list:
    """The statements of a script without triggers."""
    out = [[]]
    for _, token in tokens_of(script):
        if token == ";":
            out.append([])
        else:
            out[-1].append(token)
    return [text for text in ("".join(part).strip() for part in out) if text]
