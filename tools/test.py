"""./dev test: everything, in the order in which it is cheapest to fail. `./dev test lint unit` runs these only.

  lint      floors, headers, format
  unit      unit, agreement and corpus tests, gcc with AddressSanitizer and UndefinedBehaviorSanitizer
  clang     the whole builds with clang, warnings are errors; unit tests run, on SQLite
  scenario  the real server as a black box, under AddressSanitizer and UndefinedBehaviorSanitizer
  threads   the same under ThreadSanitizer
  release   the release binary: crashes in a storm of writes, the page in Chromium, the benchmark's checks

unit, scenario, threads and the crashes run on both stores: on SQLite, and on a private PostgreSQL
(tools/postgres.py), which for the crashes syncs to the disk and may be restarted by the tests.
"""
import concurrent.futures
import contextlib
import glob
import os
import re
import subprocess
import sys
import time

import postgres

NODE_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1",
}
BUILDS = {
    "asan": (["-Db_sanitize=address,undefined", "-Dbuildtype=debugoptimized"], {}),
    "tsan": (["-Db_sanitize=thread", "-Dbuildtype=debugoptimized", "-Dtests=false"], {}),
    "clang": (["-Dbuildtype=debugoptimized", "-Dbench=true"], {"CC": "clang"}),
    "release": (["-Dbuildtype=release", "-Dtests=false"], {}),
    "bench": (["-Dbuildtype=release", "-Dtests=false", "-Dbench=true"], {}),
}
STORES = {"sqlite": "SQLite", "pg": "PostgreSQL"}


class Count:
    passed = failed = 0


@contextlib.contextmanager
def on_store(store, durable=False):
    """The environment for tests on that store."""
    environment = {**os.environ, **NODE_ENVIRONMENT, "ROWCAST_TEST_STORE": store}
    for name in ("ROWCAST_TEST_POSTGRES", "ROWCAST_TEST_POSTGRES_CTL"):
        environment.pop(name, None)
    if store == "sqlite":
        yield environment
        return
    with postgres.private(durable) as server:
        yield {**environment, **server.environment}


def run(command, seconds, **options):
    """Runs a command with its output shown; False when it fails or takes too long."""
    try:
        return subprocess.run(command, timeout=seconds, **options).returncode == 0
    except subprocess.TimeoutExpired:
        print(f"too long (more than {seconds} s): {' '.join(command)}")
        return False


def count(ok, passed=1):
    Count.passed += passed if ok else 0
    Count.failed += 0 if ok else 1
    return ok


def build(name):
    options, environment = BUILDS[name]
    folder = f"build/{name}"
    log = f"build/{name}.log"
    with open(log, "w") as file:
        for command in (
            [] if os.path.exists(f"{folder}/build.ninja") else ["meson", "setup", folder, *options],
            ["ninja", "-C", folder],
        ):
            if command and subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **environment}
            ).returncode:
                print(open(log).read()[-8000:])
                return count(False)
    return True


def say(what, store, passed, failed=0):
    print(f"{what} on {STORES[store]}: {passed} passed" + (f", {failed} failed" if failed else ""), flush=True)
    Count.passed += passed
    Count.failed += failed


def meson_tests(name, store, suites):
    """`suites` as Meson's options; on PostgreSQL the tests of agreement have both stores at hand."""
    command = ["meson", "test", "-C", f"build/{name}", "--no-rebuild", "--print-errorlogs", *suites]
    with on_store(store) as environment:
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    ok = int((re.search(r"^Ok:\s+(\d+)", result.stdout, re.M) or [0, 0])[1])
    bad = [line for line in result.stdout.splitlines() if re.search(r"\b(FAIL|TIMEOUT|ERROR)\b", line)]
    wrong = result.returncode != 0 or ok == 0
    say("programs of unit tests", store, ok, max(1, len(bad)) if wrong else 0)
    if wrong:
        print(result.stdout[-8000:])


def failures(output):
    """The accounts of the tests that failed: in TAP from `not ok` to the end of its block."""
    blocks = re.findall(r"^not ok .*?^  \.\.\.$", output, re.M | re.S)
    return [block[:4000] for block in blocks[:20]]


def node_file(file, environment, seconds):
    """Runs one file of tests: how many passed, how many failed, and what there is to say about those."""
    try:
        result = subprocess.run(
            ["node", "--test", os.path.relpath(file, "tests")],
            cwd="tests", env=environment, capture_output=True, text=True, timeout=seconds,
        )
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return 0, 1, f"{file}: too long (more than {seconds} s)\n{output[-4000:]}"
    output = result.stdout
    numbers = {key: int(value) for key, value in re.findall(r"^(?:#|ℹ) (\w+) (\d+)", output, re.M)}
    passed = numbers.get("pass", 0)
    if numbers.get("tests") == 1 and re.search(r"^ok 1 - \S+\.test\.js$", output, re.M):
        passed = 0  # that is the file itself, in which nothing is for this store
    failed = sum(numbers.get(key, 0) for key in ("fail", "skipped", "cancelled", "todo"))
    if not failed and result.returncode == 0 and numbers.get("pass"):
        return passed, 0, ""
    told = "\n".join(failures(output)) or output[-8000:]
    return passed, max(1, failed), f"{file}:\n{told}\n{result.stderr[-4000:]}"


def node_tests(what, store, binary, files, seconds, alone=False):
    """
    Files run side by side, one for each processor, the longest first. `alone`: each has a PostgreSQL of its
    own, which it may restart, and which syncs to the disk.
    """
    def run_file(file):
        with on_store(store, durable=True) if alone else contextlib.nullcontext(shared) as environment:
            return node_file(file, {**environment, "ROWCAST": os.path.abspath(binary)}, seconds)

    longest_first = sorted(files, key=os.path.getsize, reverse=True)
    with contextlib.nullcontext() if alone else on_store(store) as shared:
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(run_file, longest_first))
    passed, failed = (sum(result[i] for result in results) for i in (0, 1))
    say(what, store, passed, failed if failed or passed else 1)
    for *_, told in results:
        if told:
            print(told)


def scenarios(folder):
    return sorted(glob.glob(f"tests/{folder}/*.test.js"))


def install_node_packages():
    if os.path.exists("tests/node_modules/.package-lock.json"):
        return True
    return count(run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], 300, cwd="tests"), 0)


def suite_lint():
    count(run([sys.executable, "tools/lint.py"], 300))


def suite_unit():
    if build("asan"):
        meson_tests("asan", "sqlite", ["--no-suite", "postgres", "--no-suite", "agree"])
        meson_tests("asan", "pg", ["--suite", "postgres", "--suite", "agree"])


def suite_clang():
    if build("clang"):
        meson_tests("clang", "sqlite", ["--no-suite", "postgres"])


def suite_scenario():
    if build("asan") and install_node_packages():
        for store in STORES:
            node_tests("scenario", store, "build/asan/rowcast", scenarios("scenario"), 300)


def suite_threads():
    if build("tsan") and install_node_packages():
        for store in STORES:
            node_tests("threads", store, "build/tsan/rowcast", scenarios("scenario"), 300)


def suite_release():
    if build("release") and install_node_packages():
        for store in STORES:
            node_tests("crash", store, "build/release/rowcast", scenarios("crash"), 600, alone=True)
        node_tests("page", "sqlite", "build/release/rowcast", scenarios("page"), 300)
    if build("bench"):
        for words in (["--events", "100"], ["collab", "--events", "100"], ["writes", "--store", "pg", "--seconds", "0.2", "--connections", "1", "16"]):
            count(run([sys.executable, "bench/run.py", "build/bench", *words, "--rounds", "1"], 300))


SUITES = {
    "lint": suite_lint,
    "unit": suite_unit,
    "clang": suite_clang,
    "scenario": suite_scenario,
    "threads": suite_threads,
    "release": suite_release,
}


def main():
    wanted = sys.argv[1:] or list(SUITES)
    unknown = [name for name in wanted if name not in SUITES]
    if unknown:
        sys.exit(f"no suite {unknown[0]}; there are: {', '.join(SUITES)}\n{__doc__}")
    postgres.end_by_exception()
    begin = time.monotonic()
    for name in wanted:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        try:
            SUITES[name]()
        except postgres.Unavailable as reason:
            print(reason)
            count(False)
        print(f"   ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"\n{time.monotonic() - begin:.0f} s in all")
    print(f"{Count.passed} passed, {Count.failed} failed")
    return 1 if Count.failed or not Count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
