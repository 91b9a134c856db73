#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the tree's form, one at a time.

usage: lint.py CHECK [BUILD_DIR]

CHECK is one of: sizes, banned, format, tidy, spdx, errors, shell, steps, tests, words. Only files that git tracks
are read. There is no list of exceptions.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 100
PURE_WITH_TESTS = ("base", "proto", "format", "ts", "store", "image")

# What must not be called, and what to use instead.
BANNED = {
    "strcpy": "a sink or a buf",
    "strcat": "a sink or a buf",
    "strncpy": "a sink or a buf; a truncated name is another name",
    "strncat": "a sink or a buf; a truncated name is another name",
    "sprintf": "snprintf or buf_addf",
    "vsprintf": "vsnprintf",
    "scanf": "bytes_parse_u64",
    "sscanf": "bytes_parse_u64",
    "fscanf": "bytes_parse_u64",
    "atoi": "bytes_parse_u64",
    "atol": "bytes_parse_u64",
    "strtol": "bytes_parse_u64",
    "strtoul": "bytes_parse_u64",
    "strtoll": "bytes_parse_u64",
    "strtoull": "bytes_parse_u64",
    "strtok": "a struct bytes that is split",
    "gets": "file_read",
    "system": "process_run",
    "popen": "process_run",
    "rand": "random_bytes",
    "srand": "random_bytes",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "inet_ntoa": "inet_ntop",
    "alloca": "malloc, after a check against a limit",
    "goto": "a function of its own, and OWN()",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(k for k in BANNED if k != "goto") + r")\s*\(")
BANNED_GOTO = re.compile(r"(?<![\w.>])goto\s+\w+\s*;")
FUNCTION = re.compile(r"^\{", re.M)
UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK)\b|not implemented|unimplemented|for now\b", re.IGNORECASE
)


def tracked(*patterns: str) -> list:
    out = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--", *patterns], check=True, capture_output=True
    ).stdout.decode()
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def c_files() -> list:
    return tracked("*.c", "*.h")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def without_comments_and_strings(text: str) -> str:
    """The code only, line numbers kept."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text, flags=re.S)


def sizes():
    for path in c_files():
        lines = text_of(path).splitlines()
        if len(lines) > FILE_LINES_MAX:
            yield f"{path}:1: {len(lines)} lines; {FILE_LINES_MAX} are allowed"
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LINES_MAX:
                    yield f"{path}:{start}: a function of {number - start - 1} lines"
                start = None


def banned():
    for path in c_files():
        code = without_comments_and_strings(text_of(path))
        for number, line in enumerate(code.splitlines(), 1):
            for match in BANNED_CALL.finditer(line):
                name = match.group(1)
                yield f"{path}:{number}: {name}() is banned: use {BANNED[name]}"
            if BANNED_GOTO.search(line):
                yield f"{path}:{number}: goto is banned: use {BANNED['goto']}"


def formatting():
    files = [str(path) for path in c_files()]
    done = subprocess.run(
        ["clang-format", "--dry-run", "-Werror", *files], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        for line in done.stderr.splitlines():
            if "error:" in line:
                yield line
        if not done.stderr:
            yield "clang-format failed"


def own_headers_digest() -> bytes:
    digest = hashlib.sha256()
    for path in sorted(tracked("*.h", ".clang-tidy")):
        digest.update(path.read_bytes())
    return digest.digest()


# The build folder may be gcc's: what clang 14 does not know of its flags, or takes back.
TIDY_EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-ftrivial-auto-var-init=pattern"]
# So many states the analyzer follows through one function. Its own limit, 225,000, makes the whole check take three times as long, for
# paths through long functions that differ little; with far fewer it looks at functions without their callers, and sees what cannot be.
ANALYZER_STATES_MAX = 50000
for word in ("-Xclang", "-analyzer-config", "-Xclang", f"max-nodes={ANALYZER_STATES_MAX}"):
    TIDY_EXTRA.append(f"--extra-arg={word}")


def tidy_one(path: Path, build: Path, key: str, cache: Path) -> str:
    """What clang-tidy says; a file that was clean, with the same headers, is not looked at again."""
    if (cache / key).exists():
        return ""
    command = ["clang-tidy", "--quiet", *TIDY_EXTRA, "-p", str(build), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        (cache / key).touch()
        return ""
    return done.stdout + (done.stderr if not done.stdout else "")


def tidy():
    build = Path(sys.argv[2]).resolve()
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    cache = build / "tidy-clean"
    cache.mkdir(exist_ok=True)
    headers = own_headers_digest()
    wanted = set(tracked("src/*.c", "tests/*.c"))
    todo = {}
    for command in commands:
        path = (Path(command["directory"]) / command["file"]).resolve()
        if path in wanted:
            digest = hashlib.sha256(headers + path.read_bytes() + " ".join([command["command"], *TIDY_EXTRA]).encode())
            todo[path] = digest.hexdigest()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(tidy_one, path, build, key, cache) for path, key in sorted(todo.items())]
        for job in jobs:
            if job.result():
                yield job.result().rstrip()


def spdx():
    skip = (".md", ".txt", ".json", ".svg", "LICENSE", "VERSION", ".gitignore", ".xml")
    for path in tracked():
        if path.name.endswith(skip) or "corpus" in path.parts or "fixtures" in path.parts:
            continue
        head = "\n".join(text_of(path).splitlines()[:3])
        if path.name.startswith(".clang-") or path.name == ".editorconfig":
            continue
        if "SPDX-License-Identifier: GPL-3.0-or-later" not in head:
            yield f"{path}:1: no SPDX line among the first three"


def errors():
    pages = {path.stem: path for path in tracked("docs/errors/SLW-*.md")}
    used = {}
    for path in tracked("src/*.c", "src/*.h", "bootimage/*"):
        if path.name.startswith(("test_", "fuzz_")):
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            for error_id in re.findall(r"SLW-\d{4}", line):
                used.setdefault(error_id, f"{path}:{number}")
    for error_id, where in sorted(used.items()):
        if error_id not in pages:
            yield f"{where}: {error_id} has no page docs/errors/{error_id}.md"
    for error_id, path in sorted(pages.items()):
        if error_id not in used:
            yield f"{path}:1: nothing in src or bootimage gives this error"
        page = text_of(path)
        if not page.startswith(f"# {error_id}: "):
            yield f"{path}:1: must begin with '# {error_id}: TITLE'"
        for heading in ("## What it means", "## Why it happens", "## What to do"):
            if heading not in page:
                yield f"{path}:1: has no section '{heading}'"
    yield from return_codes(pages)


def return_codes(pages):
    """The page of an error names the return code that the agent gives for it."""
    folder = ROOT / "src/agent/steps"
    values = dict(re.findall(r"(RETURN_\w+) = (?:RETURN_CODE\()?(\w+)", text_of(folder / "return_code.h")))
    for error_id, name in re.findall(r'"(SLW-\d{4})", (RETURN_\w+)', text_of(folder / "return_code.c")):
        if error_id in pages and f"Return code: `{values[name]}`" not in text_of(pages[error_id]):
            yield f"{pages[error_id]}:1: does not say 'Return code: `{values[name]}`'"


def shell():
    scripts = []
    for path in tracked():
        if path.suffix == ".sh":
            scripts.append(str(path))
        elif not path.suffix and path.stat().st_size < 1 << 20 and "corpus" not in path.parts:
            first = text_of(path).split("\n", 1)[0]
            if re.match(r"#!.*\b(sh|bash)\b", first):
                scripts.append(str(path))
    if scripts:
        done = subprocess.run(
            ["shellcheck", "-f", "gcc", *scripts], check=False, capture_output=True, text=True
        )
        yield from done.stdout.splitlines()


def tests():
    for path in tracked(*(f"src/{layer}/*.c" for layer in PURE_WITH_TESTS)):
        if path.name.startswith(("test_", "fuzz_")):
            continue
        if not FUNCTION.search(text_of(path)):
            continue  # a table: what looks things up in it is tested
        if not (path.parent / f"test_{path.name}").exists():
            yield f"{path}:1: has no test_{path.name} beside it"
    yield from unbuilt()


def unbuilt():
    """What no meson.build of its folder or one above names is in no program, and a migration in no database."""
    lists = {path.parent: text_of(path) for path in tracked("*meson.build")}
    for path in tracked("src/*.c", "src/*.sql"):
        names = (f"'{path.name}'", f"/{path.name}'", f"'{path.stem.removeprefix('test_')}'") # the last one in a loop over tests
        if not any(name in lists.get(folder, "") for name in names for folder in path.parents):
            yield f"{path}:1: no meson.build names it"


def words():
    for path in tracked("src/*", "bootimage/*", "packaging/*", "tools/*", "tests/*", "docs/*", "*.md"):
        if path == Path(__file__).resolve() or "corpus" in path.parts:
            continue
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if UNFINISHED.search(line):
                yield f"{path}:{number}: unfinished by its own words: {line.strip()[:80]}"


def steps():
    """Each step type that runs on Linux has a heading in docs/steps.md, alone or beside others."""
    path = ROOT / "docs/steps.md"
    headings = {name for line in text_of(path).splitlines() if line.startswith("## ") for name in line[3:].split(", ")}
    n = 0
    for source in tracked("src/ts/step_types_*.c"):
        for name, platform in re.findall(r'\.display_name = "([^"]*)",.*?\.platform = (\w+),', text_of(source), re.DOTALL):
            n += 1
            if platform != "TS_PLATFORM_WINDOWS" and name not in headings:
                yield f"{path}:1: has no section '## {name}'"
    if n == 0:
        yield f"{path}:1: no step type was found to look for"


CHECKS = {
    "sizes": sizes,
    "banned": banned,
    "format": formatting,
    "tidy": tidy,
    "spdx": spdx,
    "errors": errors,
    "shell": shell,
    "steps": steps,
    "tests": tests,
    "words": words,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in CHECKS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    findings = list(CHECKS[sys.argv[1]]())
    for finding in findings:
        print(finding)
    print(f"{sys.argv[1]}: {len(findings)} findings" if findings else f"{sys.argv[1]}: ok")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
