"""Updates of rows over REST, told to everybody who looks at the table, beside a bare epoll floor.

A delivery is a message that reached a viewer: each update is announced and told. Every one is checked:
exactly once, in the order of events, with what was there before and what was written, and only at who looks
at its table.
"""
import json
import subprocess
import sys
import tempfile

from fanout import measure_floor, report, summary
from rowcast import EMAIL, PASSWORD, Rowcast

# More than the tables that the client asks for is what makes them like those of people.
SELECT = {"name": "Status", "type": "single_select", "select_options": [
    {"value": value, "color": "blue"} for value in ("Open", "Under way", "Done")]}
FIELDS = [
    {"name": "Notes", "type": "long_text"},
    {"name": "Effort", "type": "number"},
    {"name": "Done", "type": "boolean"},
    {"name": "Day", "type": "date"},
    SELECT,
]


class People:
    """Whoever acts over Baserow's dialect: the admin, who logged in there."""

    def __init__(self, rowcast):
        self.rowcast = rowcast
        self.jwt = rowcast.ask("POST", "/api/user/token-auth/", {"email": EMAIL, "password": PASSWORD})["access_token"]

    def ask(self, method, path, body):
        return self.rowcast.ask(method, f"/api/{path}", body, f"JWT {self.jwt}")

    def make_table(self, database, name, rows):
        table = self.ask("POST", f"database/tables/database/{database}/", {
            "name": name, "data": [["Name"], *[[f"{name} {i + 1}"] for i in range(rows)]], "first_row_header": True,
        })["id"]
        fields = {field["name"]: self.ask("POST", f"database/fields/table/{table}/", field)["id"] for field in FIELDS}
        return table, fields["Effort"]

    def fill(self, table, rows, cells):
        self.ask("PATCH", f"database/rows/table/{table}/batch/?user_field_names=true",
                 {"items": [{"id": i + 1, **cells(i)} for i in range(rows)]})


def prepare(rowcast, writers):
    """Tasks, each of a project; what the client wants of them: a token, the tables, the writers' credentials."""
    people = People(rowcast)
    workspace = people.ask("POST", "workspaces/", {"name": "Work"})["id"]
    database = people.ask("POST", f"applications/workspace/{workspace}/", {"name": "Plans", "type": "database"})["id"]
    tasks, effort = people.make_table(database, "Task", writers)
    projects, budget = people.make_table(database, "Project", writers)
    people.ask("POST", f"database/fields/table/{tasks}/",
               {"name": "Project", "type": "link_row", "link_row_table_id": projects, "related_field_name": "Tasks"})
    people.fill(tasks, writers, lambda i: {"Notes": "to be left with the neighbour", "Effort": i, "Day": "2025-03-12",
                                           "Project": [i // 5 + 1]})
    token = people.ask("POST", "database/tokens/", {"name": "program", "workspace": workspace})["key"]
    return [people.jwt, f"{tasks}:{effort}", f"{projects}:{budget}", f"JWT {people.jwt}", f"Token {token}"]


def measure(client, rowcast, updates, window, options, words):
    run = subprocess.run(
        [client, *[str(n) for n in (rowcast.port, rowcast.process.pid, updates, window, options.viewers, options.writers)],
         *words], capture_output=True, text=True, timeout=300,
    )
    if run.returncode != 0:
        sys.exit(f"collab: {run.stderr.strip()}")
    return json.loads(run.stdout)


def collab(build, options):
    clients, floor = [f"{build}/bench/{name}_client" for name in ("collab", "fanout")], f"{build}/bench/fanout_floor"
    settings = {"DB_FILENAME": "bench.sqlite", "BASEROW_ACCESS_TOKEN_LIFETIME_MINUTES": "600"}
    print(f"collab: {options.viewers} viewers of one table, {options.writers} writers, {options.rounds} rounds")
    with (tempfile.TemporaryDirectory() as folder, Rowcast(f"{build}/rowcast", folder, settings) as rowcast):
        words = prepare(rowcast, options.writers)
        for name, window, updates in (
            ("one update at a time", 1, options.events), ("saturated", options.writers, options.events * 10),
        ):
            ours, bare = [], []
            for _ in range(options.rounds):
                ours.append(measure(clients[0], rowcast, updates, window, options, words))
                bare.append(measure_floor(floor, clients[1], summary(ours)["frame"], options.events, window, options.viewers))
            report(name, summary(ours), summary(bare))
        print("\neverything arrived exactly once, in order, as it was written, at exactly those who look at the table")
