"""Makes the demonstration database: Debian's iso-codes, an admin, and a public policy.

usage: demo.py ROWCAST sqlite DATABASE   a file
       demo.py ROWCAST pg                the database that the settings name (DB_CONNECTION_STRING, DB_HOST...)

Does nothing where an instance is there already. Everything is made aside, in another file or another schema,
and takes its place in one step at the end: a cut leaves nothing half-made.
"""
import json
import os
import secrets
import subprocess
import sys
import tempfile
import urllib.request

ISO = "/usr/share/iso-codes/json"
PUBLIC_POLICY = "abf8a154-5b1c-4a46-ac9c-7300570f4f17"


def load(name):
    with open(f"{ISO}/iso_{name}.json", encoding="utf-8") as file:
        return json.load(file)[name]


def countries():
    return [
        {
            "code": c["alpha_2"],
            "code3": c["alpha_3"],
            "number": int(c["numeric"]),
            "name": c["name"],
            "official_name": c.get("official_name"),
            "flag": c["flag"],
        }
        for c in load("3166-1")
    ]


def subdivisions(known):
    return [
        {"code": s["code"], "name": s["name"], "type": s["type"], "country": s["code"].split("-")[0]}
        for s in load("3166-2")
        if s["code"].split("-")[0] in known
    ]


def languages():
    return [
        {
            "code": l["alpha_3"],
            "code2": l.get("alpha_2"),
            "name": l["name"],
            "scope": l["scope"],
            "type": l["type"],
        }
        for l in load("639-3")
    ]


def public_permissions():
    """Countries whole, the subdivisions of some of them, some fields of languages."""
    read = {"policy": PUBLIC_POLICY, "action": "read"}
    return [
        {**read, "collection": "countries", "fields": ["*"]},
        {
            **read,
            "collection": "subdivisions",
            "fields": ["*"],
            "permissions": {"country": {"_in": ["AT", "CH", "DE", "FR", "IT"]}},
        },
        {**read, "collection": "languages", "fields": ["code", "name"]},
    ]


class Server:
    """The server on a port of its own for as long as the set-up takes."""

    def __init__(self, rowcast, env):
        self.process = subprocess.Popen(
            [rowcast, "serve"], env={**env, "PORT": "0", "LOG_LEVEL": "warn"}, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if "http://" not in line:
            sys.exit("the server did not start")
        self.base = "http://" + line.split("http://")[1].strip()

    def post(self, path, body, token):
        request = urllib.request.Request(
            self.base + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def run(rowcast, env, *arguments):
    if subprocess.run([rowcast, *arguments], env=env).returncode != 0:
        sys.exit(f"rowcast {arguments[0]} failed")


def make(rowcast, place, folder):
    """Makes all of it in the store that `place`, some settings, leads to."""
    token, password = secrets.token_urlsafe(24), secrets.token_urlsafe(12)
    env = {
        **os.environ,
        "ADMIN_EMAIL": "admin@example.com",
        "ADMIN_PASSWORD": password,
        "ADMIN_TOKEN": token,
        **place,
    }
    known = countries()
    tables = {
        "countries": (known, []),
        "subdivisions": (subdivisions({c["code"] for c in known}), ["--link", "country=countries"]),
        "languages": (languages(), []),
    }
    for name, (rows, links) in tables.items():
        path = f"{folder}/{name}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(rows, file)
        run(rowcast, env, "import", path, "--collection", name, "--key", "code", *links)
    server = Server(rowcast, env)
    try:
        for permission in public_permissions():
            server.post("/permissions", permission, token)
    finally:
        server.stop()
    return token, password


def make_sqlite(rowcast, database):
    if os.path.exists(database):
        return None
    target = os.path.dirname(os.path.abspath(database))
    os.makedirs(target, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as folder:
        made = make(rowcast, {"DB_FILENAME": f"{folder}/new.sqlite"}, folder)
        os.rename(f"{folder}/new.sqlite-secret", f"{database}-secret")
        os.rename(f"{folder}/new.sqlite", database)
    return made


ASIDE = "rowcast_demo_new"
MOVE = f"""DO $$ DECLARE t record; BEGIN
  FOR t IN SELECT oid::regclass AS name FROM pg_class
           WHERE relnamespace = '{ASIDE}'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s SET SCHEMA %I', t.name, current_schema());
  END LOOP;
  DROP SCHEMA {ASIDE};
END $$"""


def libpq_environment():
    """The connection by single settings, for psql; as src/server/settings.c says it."""
    setting = os.environ.get
    said = {
        "PGHOST": setting("DB_HOST"),
        "PGPORT": setting("DB_PORT", "5432"),
        "PGDATABASE": setting("DB_DATABASE"),
        "PGUSER": setting("DB_USER"),
        "PGPASSWORD": setting("DB_PASSWORD"),
    }
    verified = setting("DB_SSL__REJECT_UNAUTHORIZED", "true").lower() in ("true", "1")
    if not verified:
        said["PGSSLMODE"] = "require"
    elif setting("DB_SSL", "false").lower() in ("true", "1") or setting("DB_SSL__CA_FILE"):
        said["PGSSLMODE"] = "verify-full"
        said["PGSSLROOTCERT"] = setting("DB_SSL__CA_FILE") or "/etc/ssl/certs/ca-certificates.crt"
    return {name: value for name, value in said.items() if value}


def psql(sql, **more):
    connection = os.environ.get("DB_CONNECTION_STRING")
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql, *([connection] if connection else [])]
    env = {**os.environ, **({} if connection else libpq_environment()), **more}
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("psql failed")
    return done.stdout.strip()


def make_postgres(rowcast):
    if psql("SELECT to_regclass('rowcast_journal')"):
        return None
    psql(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE; CREATE SCHEMA {ASIDE}",
         PGOPTIONS="-c client_min_messages=warning")
    aside = {"PGOPTIONS": f"-c search_path={ASIDE}"}
    if psql("SELECT current_schema()", **aside) != ASIDE:
        sys.exit("DB_CONNECTION_STRING has `options` of its own: no demonstration data can be made aside")
    with tempfile.TemporaryDirectory() as folder:
        made = make(rowcast, aside, folder)
    psql(MOVE)
    return made


def main():
    rowcast, *place = sys.argv[1:]
    rowcast = os.path.abspath(rowcast)
    made = make_postgres(rowcast) if place == ["pg"] else make_sqlite(rowcast, place[1])
    if made:
        token, password = made
        print("\nThe admin (shown this once): admin@example.com")
        print(f"  password  {password}")
        print(f"  token     {token}")


if __name__ == "__main__":
    main()
