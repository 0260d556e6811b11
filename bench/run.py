"""./dev bench fanout: deliveries of permission-checked events beside a bare epoll floor, in one run.

Rounds alternate between Rowcast and the floor, so that both meet the same machine; medians and
ratios are printed. Every event is checked: exactly once, in order, only to roles that may see it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request

TOKEN = "admin-token-of-the-benchmark"
# name, row filter, fields, the rows (a to j) that it lets through
ROLES = [
    ("all", None, ["*"], "abcdefghij"),
    ("published", {"status": {"_eq": "published"}}, ["id", "title", "value"], "abcdef"),
    ("mine", {"owner": {"_eq": "mine"}}, ["id", "value"], "acegi"),
    ("either", {"_or": [{"status": {"_eq": "draft"}}, {"owner": {"_eq": "mine"}}]}, ["id", "value", "status"], "aceghi"),
    ("cheap", {"price": {"_lt": 80}}, ["*"], "abcdefgh"),
]


class Rowcast:
    def __init__(self, binary, folder, client):
        env = {
            "PATH": os.environ["PATH"], "PORT": "0", "DB_FILENAME": f"{folder}/bench.sqlite", "LOG_LEVEL": "warn",
            "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "benchmark", "ADMIN_TOKEN": TOKEN,
            "HASH_MEMORY_COST": "1024", "HASH_TIME_COST": "1", "WEBSOCKET_PING_PERIOD": "0",
        }
        self.process = subprocess.Popen([binary, "serve"], env=env, stdout=subprocess.PIPE, text=True, cwd=folder)
        self.client = client
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.roles = []

    def post(self, path, body):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["data"]

    def prepare(self):
        field = lambda name, kind: {"field": name, "type": kind}
        self.post("/collections", {
            "collection": "ticks", "schema": {},
            "fields": [field("title", "string"), field("status", "string"), field("owner", "string"),
                       field("price", "integer"), field("value", "bigInteger")],
        })
        self.post("/items/ticks", [
            {"title": f"row {i}", "status": "published" if i < 6 else "draft" if i in (6, 7) else "archived",
             "owner": "mine" if i % 2 == 0 else "other", "price": i * 10, "value": -1}
            for i in range(10)
        ])
        for name, rows, fields, seen in ROLES:
            policy = self.post("/policies", {"name": name})
            role = self.post("/roles", {"name": name})
            self.post("/access", {"role": role["id"], "policy": policy["id"]})
            self.post("/permissions", {"policy": policy["id"], "collection": "ticks", "action": "read",
                                       "permissions": rows, "fields": fields})
            token = f"token-of-{name}"
            self.post("/users", {"email": f"{name}@example.com", "role": role["id"], "token": token})
            self.roles.append(f"{token}:{seen}")

    def measure(self, events, window, subscribers):
        return measure(self.client, "rowcast", self.port, self.process.pid, events, window, subscribers, self.roles)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def measure(client, kind, port, pid, events, window, subscribers, roles):
    run = subprocess.run(
        [client, kind, str(port), str(pid), str(events), str(window), str(subscribers), TOKEN, *roles],
        capture_output=True, text=True, timeout=300,
    )
    if run.returncode != 0:
        sys.exit(f"{kind}: {run.stderr.strip()}")
    return json.loads(run.stdout)


def measure_floor(floor, client, frame_size, events, window, subscribers):
    process = subprocess.Popen([floor, str(frame_size)], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().split()[1])
        return measure(client, "floor", port, process.pid, events, window, subscribers, ["x:a"])
    finally:
        process.kill()
        process.wait(30)


def summary(results):
    return {
        "rate": statistics.median(r["deliveries"] / r["seconds"] for r in results),
        "cpu_us": statistics.median(r["cpu_ns"] / r["deliveries"] / 1000 for r in results),
        "frame": statistics.median(r["bytes"] / r["deliveries"] for r in results),
    }


def report(name, ours, floor):
    print(f"\n{name}")
    print(f"  {'':10}{'deliveries/s':>14}{'server CPU us/delivery':>24}")
    for label, s in (("rowcast", ours), ("floor", floor)):
        print(f"  {label:10}{s['rate']:14,.0f}{s['cpu_us']:24.3f}")
    print(f"  {'ratio':10}{ours['rate'] / floor['rate']:14.2f}{ours['cpu_us'] / floor['cpu_us']:24.2f}")


def fanout(build, options):
    client, floor = f"{build}/bench/fanout_client", f"{build}/bench/fanout_floor"
    print(f"fanout: {options.subscribers} subscribers in {len(ROLES)} roles, {options.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        rowcast = Rowcast(os.path.abspath(f"{build}/rowcast"), folder, client)
        try:
            rowcast.prepare()
            for name, window, events in (
                ("one event at a time", 1, options.events), ("saturated", 512, options.events * 10),
            ):
                ours, bare = [], []
                for _ in range(options.rounds):
                    ours.append(rowcast.measure(events, window, options.subscribers))
                    frame = min(127, max(16, round(summary(ours)["frame"])))
                    bare.append(measure_floor(floor, client, frame, options.events, window, options.subscribers))
                report(name, summary(ours), summary(bare))
            print("\nevery event arrived exactly once, in order, at exactly the roles that may see it")
        finally:
            rowcast.stop()


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("build", help=argparse.SUPPRESS)
    parser.add_argument("what", choices=["fanout"], nargs="?", default="fanout")
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--events", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    fanout(options.build, options)


if __name__ == "__main__":
    main()
