"""A Rowcast of the benchmark's own, on a free port of this machine."""
import json
import os
import subprocess
import sys
import urllib.request

TOKEN = "admin-token-of-the-benchmark"
EMAIL, PASSWORD = "admin@example.com", "benchmark"


class Rowcast:
    """`settings` name the store; everything else is as by default, but for what only costs time to start."""

    def __init__(self, binary, folder, settings):
        self.binary, self.folder = os.path.abspath(binary), folder
        self.env = {
            "PATH": os.environ["PATH"], "PORT": "0", "LOG_LEVEL": "warn",
            "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "ADMIN_TOKEN": TOKEN,
            "HASH_MEMORY_COST": "1024", "HASH_TIME_COST": "1", "WEBSOCKET_PING_PERIOD": "0", **settings,
        }
        self.process = subprocess.Popen([self.binary, "serve"], env=self.env, stdout=subprocess.PIPE, text=True, cwd=folder)
        told = self.process.stdout.readline()
        if ":" not in told:
            self.stop()
            sys.exit("Rowcast did not start")
        self.port = int(told.rsplit(":", 1)[1])

    def ask(self, method, path, body, authorization=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data=json.dumps(body).encode(), method=method,
            headers={"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def post(self, path, body):
        """In Directus's dialect, as the admin."""
        return self.ask("POST", path, body, f"Bearer {TOKEN}")["data"]

    def create_collection(self, name, fields):
        self.post("/collections", {
            "collection": name, "schema": {}, "fields": [{"field": f, "type": kind} for f, kind in fields.items()],
        })

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def check(self):
        """What `rowcast check` says of the database, when the server has stopped; None when it finds something."""
        run = subprocess.run([self.binary, "check"], env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=120)
        return run.stdout.strip() if run.returncode == 0 else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
