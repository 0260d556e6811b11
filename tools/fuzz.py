"""./dev fuzz [TARGET] [SECONDS]: feeds a decoder random input until something breaks or time is up.

Inputs that reach new code are kept in build/corpus; one that breaks something is printed, and belongs
into tests/fuzz/corpus/TARGET, whose files run as tests ever after.
"""
import glob
import os
import subprocess
import sys


def main():
    build, words = sys.argv[1], sys.argv[2:]
    found = {os.path.basename(p)[5:]: p for p in glob.glob(f"{build}/tests/fuzz/fuzz_*") if os.access(p, os.X_OK) and os.path.isfile(p)}
    seconds = next((w for w in words if w.isdigit()), "60")
    targets = [w for w in words if not w.isdigit()] or sorted(found)
    failed = 0
    for target in targets:
        if target not in found:
            sys.exit(f"no target {target}; there are: {', '.join(sorted(found))}")
        corpus = f"build/corpus/{target}"
        os.makedirs(corpus, exist_ok=True)
        print(f"\n== {target}, {seconds} s", flush=True)
        failed += subprocess.run(
            [found[target], f"-max_total_time={seconds}", "-print_final_stats=1", "-verbosity=0",
             f"-artifact_prefix=build/corpus/{target}-", corpus, f"tests/fuzz/corpus/{target}"]
        ).returncode != 0
    print(f"\n{len(targets) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
