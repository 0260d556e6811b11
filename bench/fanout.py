"""Deliveries of permission-checked events beside a bare epoll floor.

Every event is checked: exactly once, in order, only to roles that may see it.
"""
import json
import statistics
import subprocess
import sys
import tempfile

from rowcast import TOKEN, Rowcast

# name, row filter, fields, the rows (a to j) that it lets through
ROLES = [
    ("all", None, ["*"], "abcdefghij"),
    ("published", {"status": {"_eq": "published"}}, ["id", "title", "value"], "abcdef"),
    ("mine", {"owner": {"_eq": "mine"}}, ["id", "value"], "acegi"),
    ("either", {"_or": [{"status": {"_eq": "draft"}}, {"owner": {"_eq": "mine"}}]}, ["id", "value", "status"], "aceghi"),
    ("cheap", {"price": {"_lt": 80}}, ["*"], "abcdefgh"),
]


def prepare(rowcast):
    """The rows, and a user for each role: TOKEN:ROWS as the client wants them."""
    rowcast.create_collection("ticks", {
        "title": "string", "status": "string", "owner": "string", "price": "integer", "value": "bigInteger",
    })
    rowcast.post("/items/ticks", [
        {"title": f"row {i}", "status": "published" if i < 6 else "draft" if i in (6, 7) else "archived",
         "owner": "mine" if i % 2 == 0 else "other", "price": i * 10, "value": -1}
        for i in range(10)
    ])
    users = []
    for name, rows, fields, seen in ROLES:
        policy = rowcast.post("/policies", {"name": name})
        role = rowcast.post("/roles", {"name": name})
        rowcast.post("/access", {"role": role["id"], "policy": policy["id"]})
        rowcast.post("/permissions", {"policy": policy["id"], "collection": "ticks", "action": "read",
                                      "permissions": rows, "fields": fields})
        token = f"token-of-{name}"
        rowcast.post("/users", {"email": f"{name}@example.com", "role": role["id"], "token": token})
        users.append(f"{token}:{seen}")
    return users


def measure(client, kind, port, pid, events, window, subscribers, users):
    run = subprocess.run(
        [client, kind, str(port), str(pid), str(events), str(window), str(subscribers), TOKEN, *users],
        capture_output=True, text=True, timeout=300,
    )
    if run.returncode != 0:
        sys.exit(f"fanout, {kind}: {run.stderr.strip()}")
    return json.loads(run.stdout)


def measure_floor(floor, client, frame, events, window, subscribers):
    size = min(65535, max(16, round(frame)))
    process = subprocess.Popen([floor, str(size)], stdout=subprocess.PIPE, text=True)
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
    with (tempfile.TemporaryDirectory() as folder,
          Rowcast(f"{build}/rowcast", folder, {"DB_FILENAME": "bench.sqlite"}) as rowcast):
        users = prepare(rowcast)
        for name, window, events in (
            ("one event at a time", 1, options.events), ("saturated", 512, options.events * 10),
        ):
            ours, bare = [], []
            for _ in range(options.rounds):
                ours.append(measure(client, "rowcast", rowcast.port, rowcast.process.pid, events, window,
                                    options.subscribers, users))
                bare.append(measure_floor(floor, client, summary(ours)["frame"], options.events, window,
                                          options.subscribers))
            report(name, summary(ours), summary(bare))
        print("\nevery event arrived exactly once, in order, at exactly the roles that may see it")
