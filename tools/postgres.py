"""A private PostgreSQL, Debian's, on a Unix socket and nowhere else.

  tools/postgres.py run [--durable] -- COMMAND...   a new one for COMMAND, gone with it
  tools/postgres.py keep FOLDER -- COMMAND...       its data stay in FOLDER; durable

`run` tells COMMAND by the environment: ROWCAST_TEST_POSTGRES, a connection string, and
ROWCAST_TEST_POSTGRES_CTL, the words before `restart -m fast` and the like. `keep` tells it
DB_CONNECTION_STRING. PATH begins with the folder of psql. In Python: `with private() as server`.

PostgreSQL refuses to be root's: for root it runs as the user that Debian's package makes. Everyone who
reaches the socket is let in, so its folder is closed to all but that user (and root).
"""
import argparse
import contextlib
import fcntl
import glob
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SYSTEM_USER = "postgres"  # Debian's
ROLE = "rowcast"
START_SECONDS, STOP_SECONDS = 60, 20
SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# For data that nobody will miss after a power cut. What a commit waits for stays as it is.
FAST = {"fsync": "off", "full_page_writes": "off"}
# In the tests a text that is compared without a word on how sorts as in a dictionary, and fails.
FOREIGN = ["--locale-provider=icu", "--icu-locale=de-DE"]


class Unavailable(Exception):
    """Why there is no server, for people."""


def binaries(version=None):
    """The folder of the newest PostgreSQL's programs, or of a version's."""
    found = {
        int(re.search(r"/postgresql/(\d+)/", path)[1]): os.path.dirname(path)
        for path in glob.glob("/usr/lib/postgresql/[0-9]*/bin/initdb")
    }
    if not found or (version and version not in found):
        raise Unavailable(f"PostgreSQL {version or ''} is not installed (Debian's package is called postgresql)")
    return found[version or max(found)]


def as_user(command, directory="/"):
    """The command as PostgreSQL's user, in a folder that it can enter."""
    drop = ["setpriv", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--clear-groups"]
    return ["env", "-C", directory, *(drop if os.geteuid() == 0 else []), *command]


def give(folder):
    os.chmod(folder, 0o700)
    if os.geteuid() == 0:
        shutil.chown(folder, SYSTEM_USER, SYSTEM_USER)


class Server:
    """A server whose data lie in `data` and whose socket lies in `directory`; started by start()."""

    def __init__(self, directory, data, durable):
        self.directory, self.data, self.durable = directory, data, durable
        self.bin = binaries(self._version())

    @property
    def connection_string(self):
        return f"host={self.directory} user={ROLE} dbname=postgres gssencmode=disable sslmode=disable"

    @property
    def control(self):
        """pg_ctl, as words."""
        return as_user([f"{self.bin}/pg_ctl", "-D", self.data, "-l", f"{self.data}/log", "-w"], self.directory)

    @property
    def environment(self):
        """What the tests are told."""
        return {
            "ROWCAST_TEST_POSTGRES": self.connection_string,
            "ROWCAST_TEST_POSTGRES_CTL": " ".join(self.control),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }

    def _version(self):
        try:
            with open(f"{self.data}/PG_VERSION", encoding="ascii") as file:
                return int(file.read())
        except FileNotFoundError:
            return None

    def _control(self, *words, seconds):
        command = [*self.control, "-t", str(seconds), *words]
        # Not through pipes: the server would hold them open.
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=seconds + 10).returncode

    def _initialise(self):
        """Makes the data under another name first: a cut leaves nothing half-made."""
        new = f"{self.data}-new"
        shutil.rmtree(new, ignore_errors=True)
        os.mkdir(new)
        give(new)
        command = [f"{self.bin}/initdb", "-D", new, "-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust"]
        if not self.durable:
            command += FOREIGN
        done = subprocess.run(as_user(command if self.durable else [*command, "--no-sync"], self.directory),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(new, ignore_errors=True)
            raise Unavailable(f"initdb failed:\n{done.stdout}{done.stderr}")
        with open(f"{new}/postgresql.conf", "a", encoding="ascii") as file:
            file.write("include = 'rowcast.conf'\n")
        os.rename(new, self.data)

    def start(self):
        if self._version() is None:
            self._initialise()
        settings = {**SETTINGS, "unix_socket_directories": f"'{self.directory}'", **({} if self.durable else FAST)}
        with open(f"{self.data}/rowcast.conf", "w", encoding="ascii") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        if self._control("start", seconds=START_SECONDS) != 0:
            with open(f"{self.data}/log", encoding="utf-8", errors="replace") as file:
                raise Unavailable(f"PostgreSQL does not start:\n{file.read()[-4000:]}")

    def stop(self):
        """Within a bounded time, and it is gone whatever it says. A signal waits until then."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        try:
            for mode in ("fast", "immediate"):
                if not self.process() or self._control("stop", "-m", mode, seconds=STOP_SECONDS) == 0:
                    return
            if self.process():
                os.kill(self.process(), signal.SIGKILL)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def process(self):
        """The server's process id, None when it is not running."""
        try:
            with open(f"{self.data}/postmaster.pid", encoding="utf-8") as file:
                process = int(file.readline())
            os.kill(process, 0)
            return process
        except (FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
            return None


@contextlib.contextmanager
def socket_directory():
    """Its name is short: a socket's path has at most 107 bytes."""
    directory = tempfile.mkdtemp(prefix="rowcast-pg-", dir="/tmp")
    try:
        give(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def private(durable=False):
    """A new server that goes with all its data."""
    with socket_directory() as directory:
        server = Server(directory, f"{directory}/data", durable)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def place_for(folder):
    """The folder, where PostgreSQL's user can reach its parent; else a link to one in that user's home."""
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    if os.path.exists(folder):
        return os.path.realpath(folder)
    if subprocess.run(as_user(["test", "-x", parent])).returncode == 0:
        return folder
    home = os.path.expanduser(f"~{SYSTEM_USER}")
    place = f"{home}/rowcast-{hashlib.sha256(folder.encode()).hexdigest()[:12]}"
    print(f"the user {SYSTEM_USER} cannot reach {parent}: the data lie in {place}", file=sys.stderr)
    if os.path.islink(folder):  # what it led to is gone
        os.unlink(folder)
    os.symlink(place, folder)
    return place


@contextlib.contextmanager
def kept(folder):
    """A server on data that stay; one at a time."""
    place = place_for(os.path.abspath(folder))
    with open(f"{os.path.abspath(folder)}.lock", "w", encoding="ascii") as lock, socket_directory() as directory:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"{folder} is in use by another run") from None
        server = Server(directory, place, durable=True)
        server.stop()  # one that a killed run left behind
        try:
            server.start()
            yield server
        finally:
            server.stop()


def end_by_exception():
    """SIGTERM and SIGHUP end the program as Ctrl-C does: what was begun is cleaned up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def supervise(command, environment):
    """Runs the command to its end, and hands on every signal that it does not get by itself."""
    watched = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        child = subprocess.Popen(command, env={**os.environ, **environment},
                                 preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before))
        while child.poll() is None:
            told = signal.sigwaitinfo(watched)
            # A terminal's Ctrl-C comes from the kernel (above 0) and goes to both.
            if told.si_signo != signal.SIGCHLD and told.si_code <= 0:
                child.send_signal(told.si_signo)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run")
    run.add_argument("--durable", action="store_true", help="fsync, as in earnest")
    keep = actions.add_parser("keep")
    keep.add_argument("folder")
    for action in (run, keep):
        action.add_argument("command", nargs="+", metavar="COMMAND")
    options = parser.parse_args()
    end_by_exception()
    try:
        if options.action == "run":
            with private(options.durable) as server:
                return supervise(options.command, server.environment)
        with kept(options.folder) as server:
            told = {"DB_CONNECTION_STRING": server.connection_string, "PATH": server.environment["PATH"]}
            return supervise(options.command, told)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
