"""Tidiness as a test: floors, headers that compile alone, format, words that say "unfinished"."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD_FLAGS = ["-std=c17", "-D_GNU_SOURCE", '-DROWCAST_VERSION="lint"', "-include", "src/base/banned.h", "-Isrc"]

# A floor may include itself and these.
FLOORS = {
    "base": [],
    "wire": ["base"],
    "loop": ["base"],
    "net": ["base", "wire", "loop"],
    "store": ["base"],
    "model": ["base", "wire", "store"],
    "live": ["base", "store", "model"],
    "session": ["base", "wire", "loop", "net", "store", "model", "live"],
    "dialect": ["base", "wire", "loop", "net", "store", "model", "live", "session"],
    "server": ["base", "wire", "loop", "net", "store", "model", "live", "session", "dialect"],
}
# The parts of the model, each a folder in it: besides the model's own files, which are for all of them.
MODEL_PARTS = {
    "access": [],
    "items": ["access"],
    "workspace": ["access", "items"],
    "identity": ["access", "items", "workspace"],
    "grid": ["access", "items", "workspace", "schema"],
    "schema": ["access"],
    "copy": [],
}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def sources(*patterns):
    return [p for pattern in patterns for p in sorted(ROOT.glob(pattern))]


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)


def check_floors():
    for path in sources("src/**/*.[ch]"):
        floor = path.relative_to(ROOT / "src").parts[0]
        for name in includes(path):
            other = name.split("/")[0]
            if other != floor and other not in FLOORS[floor]:
                yield f"{path.relative_to(ROOT)}: {floor} must not include {name}"
            if floor == "dialect" and other == "dialect" and name.split("/")[1] != path.parent.name:
                yield f"{path.relative_to(ROOT)}: one dialect must not include another: {name}"


def check_model_parts():
    for path in sources("src/model/*/*.[ch]"):
        part = path.parent.name
        for name in includes(path):
            words = name.split("/")
            if words[0] == "model" and len(words) == 3 and words[1] not in (part, *MODEL_PARTS[part]):
                yield f"{path.relative_to(ROOT)}: model/{part} must not include {name}"


def check_cycles():
    graph = {str(p.relative_to(ROOT / "src")): includes(p) for p in sources("src/**/*.h")}
    done, open_ = set(), []

    def visit(name):
        if name in open_:
            yield "headers in a cycle: " + " -> ".join(open_[open_.index(name) :] + [name])
        elif name not in done and name in graph:
            open_.append(name)
            for other in graph[name]:
                yield from visit(other)
            open_.pop()
            done.add(name)

    for name in graph:
        yield from visit(name)


def check_headers():
    libraries = subprocess.run(["pkg-config", "--cflags", "libpq"], capture_output=True, text=True).stdout.split()
    for path in sources("src/**/*.h"):
        if path.name == "banned.h":
            continue
        run = subprocess.run(
            ["gcc", *BUILD_FLAGS, *libraries, "-fsyntax-only", "-x", "c", str(path)], cwd=ROOT, capture_output=True, text=True
        )
        if run.returncode != 0:
            yield f"{path.relative_to(ROOT)} does not compile alone:\n{run.stderr}"


def check_format():
    files = [str(p) for p in sources("src/**/*.[ch]", "tests/**/*.[ch]", "bench/**/*.[ch]") if "node_modules" not in p.parts]
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], cwd=ROOT, capture_output=True, text=True)
    if run.returncode != 0:
        lines = [line for line in run.stderr.splitlines() if "error:" in line]
        yield "not formatted (./dev format mends it):\n" + "\n".join(lines[:20])


def check_words():
    for path in sources("src/**/*.[ch]", "web/*", "tools/*.py", "bench/*"):
        if path.name == "lint.py" or not path.is_file():
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if UNFINISHED.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: unfinished: {line.strip()}"


CHECKS = {
    "no include goes upward": check_floors,
    "the parts of the model keep their order": check_model_parts,
    "no cycle between headers": check_cycles,
    "each header compiles alone": check_headers,
    "the format is clang-format's": check_format,
    "nothing says that it is unfinished": check_words,
}


def main():
    failed = 0
    for name, check in CHECKS.items():
        findings = list(check())
        print(("not ok  " if findings else "ok  ") + name)
        for finding in findings:
            print("    " + finding)
        failed += bool(findings)
    print(f"lint: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
