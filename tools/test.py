"""./dev test: everything, in the order in which it is cheapest to fail. `./dev test lint unit` runs these only.

  lint      floors, headers, format
  unit      unit, agreement and corpus tests, gcc with AddressSanitizer and UndefinedBehaviorSanitizer
  clang     the whole builds with clang, warnings are errors; unit tests run
  scenario  the real server as a black box, under AddressSanitizer and UndefinedBehaviorSanitizer
  threads   the same under ThreadSanitizer
  release   the release binary: crashes in a storm of writes, the page in Chromium, the benchmark's checks
"""
import glob
import os
import re
import subprocess
import sys
import time

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


class Count:
    passed = failed = 0


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


def meson_tests(name):
    command = ["meson", "test", "-C", f"build/{name}", "--no-rebuild", "--print-errorlogs"]
    result = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **NODE_ENVIRONMENT}, timeout=900)
    ok = int((re.search(r"^Ok:\s+(\d+)", result.stdout, re.M) or [0, 0])[1])
    bad = [line for line in result.stdout.splitlines() if re.search(r"\b(FAIL|TIMEOUT|ERROR)\b", line)]
    print(f"{ok} programs of unit tests passed")
    Count.passed += ok
    if result.returncode != 0:
        print(result.stdout[-8000:])
        Count.failed += max(1, len(bad))


def failures(output):
    """The accounts of the tests that failed: in TAP from `not ok` to the end of its block."""
    blocks = re.findall(r"^not ok .*?^  \.\.\.$", output, re.M | re.S)
    return [block[:4000] for block in blocks[:20]]


def node_tests(binary, files, seconds):
    environment = {**os.environ, **NODE_ENVIRONMENT, "ROWCAST": os.path.abspath(binary)}
    try:
        result = subprocess.run(
            ["node", "--test", *[os.path.relpath(f, "tests") for f in files]],
            cwd="tests", env=environment, capture_output=True, text=True, timeout=seconds,
        )
        output = result.stdout
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        print(f"too long (more than {seconds} s)")
        Count.failed += 1
        result = None
    numbers = {key: int(value) for key, value in re.findall(r"^(?:#|ℹ) (pass|fail|skipped|cancelled|todo) (\d+)", output, re.M)}
    failed = sum(numbers.get(key, 0) for key in ("fail", "skipped", "cancelled", "todo"))
    print(f"{numbers.get('pass', 0)} passed, {failed} failed")
    Count.passed += numbers.get("pass", 0)
    Count.failed += failed
    if failed or result is None or result.returncode != 0 or not numbers.get("pass"):
        Count.failed += 0 if failed else 1
        print("\n".join(failures(output)) or output[-8000:])
        if result:
            print(result.stderr[-4000:])


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
        meson_tests("asan")


def suite_clang():
    if build("clang"):
        meson_tests("clang")


def suite_scenario():
    if build("asan") and install_node_packages():
        node_tests("build/asan/rowcast", scenarios("scenario"), 600)


def suite_threads():
    if build("tsan") and install_node_packages():
        node_tests("build/tsan/rowcast", scenarios("scenario"), 600)


def suite_release():
    if build("release") and install_node_packages():
        node_tests("build/release/rowcast", scenarios("crash") + scenarios("page"), 600)
    if build("bench"):
        count(run([sys.executable, "bench/run.py", "build/bench", "--events", "100", "--rounds", "1"], 300))


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
    begin = time.monotonic()
    for name in wanted:
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        SUITES[name]()
        print(f"   ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"\n{time.monotonic() - begin:.0f} s in all")
    print(f"{Count.passed} passed, {Count.failed} failed")
    return 1 if Count.failed or not Count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
