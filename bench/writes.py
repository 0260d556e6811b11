"""Durable creates by several connections: Rowcast's batches beside one transaction per create.

Floors, on the same store and machine, by as many connections:
  steps     what most applications do: BEGIN, a prepared INSERT, COMMIT, each waited for (PostgreSQL only)
  row       an application that keeps its rows and nothing else: a prepared INSERT, a transaction of its own
  journal   one that keeps a journal as well: the row and its image in one transaction
  batch     what Rowcast does, bare: as journal, one create of each connection in one transaction
Each transaction of row, journal and batch is one journey to the database; no network, HTTP, JSON, permission or event lies
between. Every acknowledged create is counted at the end: there once, and Rowcast's journal dense.
"""
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))

import postgres
from rowcast import TOKEN, Rowcast

FOLDER = "/tmp"  # where a private PostgreSQL lies too: all meet the same disk
ROWS = "SELECT count(*), count(DISTINCT number), coalesce(min(number), 0), coalesce(max(number), -1) FROM orders"
ENTRIES = "SELECT count(*) FROM rowcast_journal WHERE kind = 'create' AND \"table\" = 'orders'"


class Sqlite:
    name, process = "sqlite", 0
    floors = ["row", "journal", "batch"]

    def __init__(self, folder):
        self.databases = {name: f"{folder}/{name}.sqlite" for name in ("rowcast", *self.floors)}
        self.settings = {"DB_FILENAME": self.databases["rowcast"]}

    def ask(self, side, query):
        with contextlib.closing(sqlite3.connect(self.databases[side])) as connection:
            return list(connection.execute(query).fetchone())


class Postgres:
    name = "pg"
    floors = ["steps", *Sqlite.floors]

    def __init__(self, server):
        self.server, self.process = server, server.process()
        self.databases = {name: f"{server.connection_string} dbname={name}" for name in ("rowcast", *self.floors)}
        self.settings = {"DB_CLIENT": "pg", "DB_CONNECTION_STRING": self.databases["rowcast"], "SECRET": "secret-of-the-benchmark"}
        for name in ("rowcast", *self.floors):
            self._psql(server.connection_string, f"CREATE DATABASE {name}")

    def _psql(self, database, query):
        command = [f"{self.server.bin}/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout

    def ask(self, side, query):
        return [int(number) for number in self._psql(self.databases[side], query).split("|")]


class Side:
    """One of the programs measured, on one store. It numbers its rows on from round to round."""

    def __init__(self, store, name, command):
        self.store, self.name, self.command = store, name, command
        self.created = 0
        self.results = {}  # connections: one for each round

    def measure(self, connections, seconds):
        command = [str(word) for word in self.command(connections, seconds, self.created)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 2 + 60)
        if run.returncode != 0:
            sys.exit(f"writes, {self.store.name}, {self.name}: {run.stderr.strip()}")
        result = json.loads(run.stdout)
        self.created += result["all"]
        self.results.setdefault(connections, []).append(result)

    def verify(self):
        """Rows are numbered without a gap: the same count, all different, from the first to the last."""
        found = self.store.ask(self.name, ROWS)
        if found != [self.created, self.created, 0, self.created - 1]:
            sys.exit(f"writes, {self.store.name}, {self.name}: {self.created} creates were acknowledged, "
                     f"but the table holds (rows, different, least, greatest) {found}")

    def summary(self, connections):
        results = self.results[connections]
        median = lambda value: statistics.median(value(r) for r in results)
        return {
            "rate": median(lambda r: r["counted"] / r["seconds"]),
            "program_us": median(lambda r: r["program_ns"] / r["counted"] / 1000),
            "server_us": median(lambda r: r["server_ns"] / r["counted"] / 1000),
            "mean_us": median(lambda r: r["mean_us"]),
            "p99_us": median(lambda r: r["p99_us"]),
        }


class Bench:
    """Rowcast and its floors on one store."""

    def __init__(self, build, store, rowcast, pipeline):
        self.store, self.rowcast = store, rowcast
        self.ours = Side(store, "rowcast", lambda connections, seconds, first: [
            f"{build}/bench/writes_client", rowcast.port, rowcast.process.pid, store.process, connections, pipeline,
            seconds, first, TOKEN,
        ])
        self.floors = [Side(store, form, lambda connections, seconds, first, form=form: [
            f"{build}/bench/writes_floor", store.name, store.databases[form], store.process, form, connections, seconds,
            first,
        ]) for form in store.floors]

    def measure(self, connections, seconds):
        self.ours.measure(connections, seconds)
        for floor in self.floors:
            floor.measure(connections, seconds)

    def verify(self):
        self.rowcast.stop()
        for side in (self.ours, *self.floors):
            side.verify()
        entries = self.store.ask("rowcast", ENTRIES)
        said = self.rowcast.check()
        if entries != [self.ours.created] or not said or "the journal is dense" not in said:
            sys.exit(f"writes, {self.store.name}: {self.ours.created} creates were acknowledged, the journal has "
                     f"{entries[0]}; rowcast check: {said}")


def sync_ms(folder):
    """How long a small write takes to be on disk here."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(40):
            os.write(file.fileno(), b"x" * 4096)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000


HEAD = """
                               creates/s                 CPU us a create, program + database          waiting, ratio
connections  store   floor      Rowcast    floor  ratio    Rowcast           floor             ratio     mean    p99"""


def cpu(side):
    return f"{side['program_us']:.0f}" + (f" + {side['server_us']:.0f}" if side["server_us"] else "")


def report(bench, connections):
    ours = bench.ours.summary(connections)
    for side in bench.floors:
        floor = side.summary(connections)
        total = [s["program_us"] + s["server_us"] for s in (ours, floor)]
        print(f"{connections:>11}  {bench.store.name:6}  {side.name:8}{ours['rate']:10,.0f}{floor['rate']:9,.0f}"
              f"{ours['rate'] / floor['rate']:7.2f}    {cpu(ours):18}{cpu(floor):18}{total[0] / total[1]:5.2f}"
              f"{ours['mean_us'] / floor['mean_us']:9.2f}{ours['p99_us'] / floor['p99_us']:7.2f}", flush=True)


@contextlib.contextmanager
def benches(build, options):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="rowcast-bench-", dir=FOLDER))
        stores = [Sqlite(folder)]
        if options.store == "pg":
            stores.append(Postgres(stack.enter_context(postgres.private(durable=True))))
        yield [
            Bench(build, store, stack.enter_context(Rowcast(f"{build}/rowcast", folder, store.settings)), options.pipeline)
            for store in stores
        ]


def writes(build, options):
    print(f"writes: {options.rounds} rounds of {options.seconds:g} s, a sync to disk takes {sync_ms(FOLDER):.2f} ms here"
          + (f"; {options.pipeline} creates under way on each connection to Rowcast" if options.pipeline > 1 else ""))
    with benches(build, options) as all_benches:
        for bench in all_benches:
            bench.rowcast.create_collection("orders", {
                "number": "bigInteger", "customer": "string", "note": "text", "amount": "integer",
            })
        print(HEAD, flush=True)
        for connections in options.connections:
            for _ in range(options.rounds):
                for bench in all_benches:
                    bench.measure(connections, options.seconds)
            for bench in all_benches:
                report(bench, connections)
        for bench in all_benches:
            bench.verify()
    print("\nevery acknowledged create is there, once, on each side; Rowcast's journals are dense")
