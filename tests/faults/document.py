"""The tables of docs/faults.md. The document is its own memory: a run replaces the lines of what it ran, and leaves
the others."""

import re

from figures import HEADINGS

BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


class Tables:
    """Lines by (row, forwarder): a list of cells, or one text that says why there are none."""

    def __init__(self):
        self.programs, self.lines = {}, {}

    @classmethod
    def read(cls, text):
        tables, heading = cls(), None
        for line in generated_part(text).splitlines():
            if found := re.match(r"### (\S+)", line):
                heading = found[1]
            elif found := re.match(r"- (\S+): (.*)", line):
                tables.programs[found[1]] = found[2]
            elif line.startswith("| ") and heading and not line.startswith("| forwarder"):
                name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
                tables.lines[heading, name] = cells
        return tables

    def put(self, row, forwarder, cells):
        self.lines[row.name, forwarder] = cells

    def text(self, rows, forwarders):
        names = [name for name in forwarders if any(key[1] == name for key in self.lines)]
        parts = ["## Programs", "", *[f"- {name}: {self.programs.get(name, 'unknown')}" for name in names], ""]
        parts += ["## At a glance", "", *self._summary(rows, names), "", "## Row by row"]
        for row in rows:
            parts += ["", f"### {row.name} {row.title}", "", *self._table(row, names)]
        return "\n".join(parts)

    def _table(self, row, names):
        yield f"| forwarder | {' | '.join(HEADINGS)} |"
        yield "|---" * (len(HEADINGS) + 1) + "|"
        for name in names:
            cells = self.lines.get((row.name, name), ["not run"])
            yield f"| {name} | {' | '.join(cells + [' '] * (len(HEADINGS) - len(cells)))} |"

    def _summary(self, rows, names):
        yield f"| row | {' | '.join(names)} |"
        yield "|---" * (len(names) + 1) + "|"
        for row in rows:
            yield f"| {row.name} | " + " | ".join(self._glance(row, name) for name in names) + " |"

    def _glance(self, row, name):
        """How many queries were not answered rightly, how late the late answers are, the longest outage; or why there
        is nothing to say."""
        cells = [cell for cell in self.lines.get((row.name, name), ["not run"]) if cell.strip()]
        if len(cells) < len(HEADINGS):
            return cells[0]
        line = dict(zip(HEADINGS, cells))
        missed = int(line["queries"]) - int(line["right"].split()[0])
        text = "all right" if not missed else f"{missed} of {line['queries']} not"
        back = f", back {line['back']}" if line["back"] != "-" else ""
        return f"{text}, p99 {line['p99']}, out {line['outage']}{back}"


def generated_part(text):
    return text.partition(BEGIN)[2].partition(END)[0]


def replaced(text, generated):
    """The document with another generated part."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"the document lacks `{BEGIN}` or `{END}`")
    return text.partition(BEGIN)[0] + f"{BEGIN}\n{generated}\n{END}" + text.partition(END)[2]
