"""What the tests of the integrations share: where things are, and how commands are run."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What is built here: downloads, packages, environments.
WORK = Path(os.environ.get("HITRATE_INTEGRATIONS", ROOT / "target" / "integrations"))
PROGRAM = Path(os.environ.get("HITRATE_BINARY", ROOT / "target" / "debug" / "hitrate"))

WARNING = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "main.js"]\n'
CLEAN = "FROM alpine:3.22\n"


def run(*args, cwd=ROOT, code=0, env=None, **options):
    """Runs a command and returns its output; any other exit code than `code` is a failure that shows everything."""
    args = [str(arg) for arg in args]
    # What is tested finds its program by itself.
    environment = {name: value for name, value in os.environ.items() if name != "HITRATE_BINARY"} | (env or {})
    done = subprocess.run(args, cwd=cwd, env=environment, capture_output=True, text=True, **options)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{' '.join(args)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def hitrate(*args, cwd=ROOT, code=None):
    return run(PROGRAM, *args, cwd=cwd, code=code)


def version():
    return hitrate("--version", code=0).split()[1]


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="hitrate-")
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)

    def write(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, cwd=None):
        cwd = cwd or self.folder
        run("git", "init", "-q", "-b", "main", cwd=cwd)
        run("git", "add", "-A", cwd=cwd)
        run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "first", cwd=cwd)
