# SPDX-License-Identifier: BSD-3-Clause
"""Commands that change the machine, each with the one that undoes it, which is on disk before the change is made."""

import contextlib
import fcntl
import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

from measure.trouble import Trouble

JOURNALS = Path("/run/wirespool-nfv")


def words(command) -> list:
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def started_at(pid: int) -> str:
    """proc_pid_stat(5), field 22: with the number it names a process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat[stat.rindex(")") + 2 :].split()[19]


def end_process(pid: int, start: str):
    """It and the session it leads, if it is still the one that was started."""
    if started_at(pid) != start:
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def end_processes_of(space: str):
    """All that lives in a network namespace of ours, until nothing does."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False).stdout.split()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def cgroup_roots(mounts: str = "/proc/mounts") -> list:
    """Where hierarchies of either version are mounted."""
    lines = [line.split() for line in Path(mounts).read_text().splitlines()]
    return [Path(line[1]) for line in lines if line[2] in ("cgroup", "cgroup2")]


def remove_folders(top: str):
    """Folders and nothing else, as cgroups are removed: what somebody is in stays."""
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            pass


def undo(entry: dict):
    if "pid" in entry:
        end_process(entry["pid"], entry["start"])
    if "space" in entry:
        end_processes_of(entry["space"])
        subprocess.run(["ip", "netns", "delete", entry["space"]], capture_output=True, check=False)
    if "cgroup" in entry:
        remove_folders(entry["cgroup"])
    if "write" in entry:
        path, text = entry["write"]
        try:
            Path(path).write_text(text)
        except OSError:
            pass  # the switch it belonged to is gone
    if "run" in entry:
        try:
            subprocess.run(entry["run"], capture_output=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            pass  # a program that is gone undoes nothing; what it made is found by the next entries


@contextlib.contextmanager
def uninterrupted():
    """Signals that end a run wait until it has undone what it made: half of it would stay, and nobody be told."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Journal:
    """What is to be undone, a JSON line each; locked as long as the run lives that writes it."""

    def __init__(self, folder: Path = JOURNALS):
        self.path = folder / f"{os.getpid()}-{time.time_ns()}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("x", encoding="utf-8")
        except OSError as error:
            raise Trouble(f"{folder}: {error.strerror}: what is to be undone is written there before it is done") from error
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.entries = []

    def note(self, entry: dict):
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.entries.append(entry)

    def undo_all(self):
        while self.entries:
            undo(self.entries.pop())
        self.path.unlink(missing_ok=True)
        self.file.close()


def left_behind(folder: Path = JOURNALS) -> tuple:
    """How many runs were killed and not cleaned up, and how many are going on."""
    killed = running = 0
    for path in folder.glob("*.jsonl"):
        try:
            with path.open(encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                killed += 1
        except FileNotFoundError:
            continue  # it has ended meanwhile
        except OSError:
            running += 1
    return killed, running


def clean(folder: Path = JOURNALS) -> tuple:
    """Undoes what runs that were killed left. How many were undone, and how many are still going on."""
    undone = running = 0
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                running += 1
                continue
            # The last line may be half: what it announces was not done yet.
            lines = [line for line in file.read().split("\n")[:-1] if line]
            for line in reversed(lines):
                undo(json.loads(line))
            path.unlink()
            undone += 1
    return undone, running


class Child:
    """A process in a session of its own, its output in files."""

    def __init__(self, command: list, folder: Path, name: str):
        self.command, self.name = command, name
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            try:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
            except OSError as error:
                raise Trouble(f"{command[0]}: {error.strerror}: install it, or leave this switch out") from error

    def running(self) -> bool:
        return self.process.poll() is None

    def wait(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Trouble(f"{self.name}: did not end within {seconds:.0f} s: {self.said()}") from None

    def stop(self, seconds: float = 10) -> int:
        if self.running():
            self.process.terminate()
        return self.wait(seconds)

    def kill(self):
        if self.running():
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def said(self) -> str:
        lines = [line for line in self.err.read_text(errors="replace").splitlines() if line.strip() and not line.startswith("EAL: ")]
        return " / ".join(lines[-2:]) or "nothing on stderr"


class Steps:
    """Runs commands, or only prints them (`dry`)."""

    def __init__(self, dry: bool = False, journal: Journal = None, show=print):
        self.dry, self.show = dry, show
        self.journal = journal or (None if dry else Journal())
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.undo_all()

    def undo_all(self):
        with uninterrupted():
            for child in self.children:
                child.kill()
            self.children.clear()
            if self.journal:
                self.journal.undo_all()

    def do(self, command, undone_by=None, env: dict = None) -> str:
        command = words(command)
        if self.dry:
            self.show(shlex.join(command))
            return ""
        if undone_by:
            self.journal.note(undone_by if isinstance(undone_by, dict) else {"run": words(undone_by)})
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=env and os.environ | env)
        except OSError as error:
            raise Trouble(f"{command[0]}: {error.strerror}: install it, or leave this switch out") from error
        except subprocess.TimeoutExpired:
            raise Trouble(f"{shlex.join(command)}: did not end within 120 s") from None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise Trouble(f"{shlex.join(command)}: {said[-1] if said else f'exit code {done.returncode}'}")
        return done.stdout

    def space(self, name: str):
        """A network namespace, in which the kernel sends nothing of its own by IPv6."""
        self.do(["ip", "netns", "add", name], {"space": name})
        no_ipv6 = "test ! -e /proc/sys/net/ipv6 || echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6"
        self.do(["nsenter", f"--net=/run/netns/{name}", "--", "sh", "-c", no_ipv6])
        self.do(["ip", "-n", name, "link", "set", "lo", "up"])

    def write(self, path: str, text: str):
        """Into a switch of the kernel's; what was there comes back."""
        if self.dry:
            self.show(f"echo {text} >{path}")
            return
        try:
            before = Path(path).read_text().strip()
            self.journal.note({"write": [path, before]})
            Path(path).write_text(text)
        except OSError as error:
            raise Trouble(f"{path}: {error.strerror}: run as root") from error

    def folder(self, path: Path):
        if self.dry:
            self.show(f"mkdir {path}")
            return
        if path.exists():
            raise Trouble(f"{path}: is there already, of an earlier run that was killed: bench/nfv/run.sh clean, or remove it")
        self.journal.note({"run": ["rm", "-rf", "--one-file-system", str(path)]})
        path.mkdir(parents=True, mode=0o755)

    def remove_cgroups(self, names: tuple):
        """At the end, if they are not there yet: container programs leave some that are empty."""
        for path in (root / name for root in cgroup_roots() for name in names):
            if not self.dry and not path.exists():
                self.journal.note({"cgroup": str(path)})

    def start(self, command, folder: Path, name: str):
        command = words(command)
        if self.dry:
            self.show(f"{shlex.join(command)} &")
            return None
        child = Child(command, folder, name)
        self.children.append(child)
        self.journal.note({"pid": child.process.pid, "start": started_at(child.process.pid)})
        return child
