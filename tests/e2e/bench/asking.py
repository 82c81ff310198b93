"""`sotto query` as a process."""

import json
import os
import subprocess

from . import daemon


class Asked:
    def __init__(self, done):
        self.status, self.text, self.complaints = done.returncode, done.stdout, done.stderr
        report = daemon.SANITIZER_REPORT.search(self.complaints)
        assert not report, self.complaints

    def objects(self):
        """What +json printed, line by line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def object(self):
        (only,) = self.objects()
        return only


def sotto_query(*words, **environment):
    """environment: SOTTO_..., for what a configuration says."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SOTTO_")}
    done = subprocess.run(
        [daemon.BINARY, "query", *map(str, words)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env=clean | environment,
    )
    return Asked(done)
