"""sotto-query(1): its examples work, against servers of this host; it names every option, and so does docs/query.md."""

import pathlib
import re
import shutil
import subprocess

import pytest

from bench import asker
from bench.zones import CHANGED, SECRETS, SIGNED, WALKED

TOP = pathlib.Path(__file__).resolve().parents[2]
MANUAL = (TOP / "docs/man/sotto-query.1.scd").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^sotto query (.*)$", MANUAL.partition("# EXAMPLES")[2], re.MULTILINE)


@pytest.fixture
def here(knot, nsd, authority):
    """An example's words as they are on this host."""
    key = f"hmac-sha256:hmac-sha256-key:{SECRETS['hmac-sha256']}"
    words = {
        r"@tls://192\.0\.2\.53#ns1\.example": f"@tls://127.0.0.1:{nsd.tls_port}?ca={authority.file}",
        r"@192\.0\.2\.53 \+tls \+tls-hostname=ns1\.example": f"@127.0.0.1 -p {nsd.tls_port} +tls +tls-ca={authority.file}",
        r"@192\.0\.2\.53": f"@127.0.0.1 -p {knot.port}",
        r"hmac-sha256:key\.example:c2VjcmV0": key,
        r"-x 192\.0\.2\.7": "-x 192.0.2.7 +exit-zero",  # REFUSED, as it is nobody's zone here
        r"\bexample \+walk": f"{WALKED} +walk",
        r"\bexample IXFR": f"{CHANGED} IXFR",
        r"www\.example A\b": f"a.{SIGNED} A", r"www\.example AAAA": f"aaaa.{SIGNED} AAAA", r"www\.example": f"a.{SIGNED}",
        r"\bexample\b": SIGNED,
    }  # fmt: skip

    def here(example):
        for pattern, instead in words.items():
            example = re.sub(pattern, lambda _: instead, example)  # noqa: B023
        assert "192.0.2.53" not in example and ".example" not in example, example
        return example.split()

    return here


def test_there_are_examples():
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_works(here, example):
    said = asker.query(*here(example), check=0)
    assert said.out, said


def options_of_the_help():
    text = asker.query("-h", check=0).out
    return sorted(set(re.findall(r"^  (\+[\w-]+)", text, re.MULTILINE)) | set(re.findall(r"(?<![\w-])(-\w)\b", text)) - {"-h"})


def test_the_help_has_options():
    assert len(options_of_the_help()) > 50


@pytest.mark.parametrize("page", ["docs/man/sotto-query.1.scd", "docs/query.md"])
def test_every_option_is_in(page):
    text = (TOP / page).read_text(encoding="utf-8").replace("_", "-")
    text = text.replace("[no]", "")
    assert not [option for option in options_of_the_help() if not re.search(rf"{re.escape(option)}(?![\w-])", text)]


def test_statuses_are_those_of_the_help():
    statuses = re.findall(r"\b(6[4-9]|7[0-2])\b", asker.query("-h").out)
    assert len(statuses) == 9 and all(f"*{status}*" in MANUAL for status in statuses)


def test_the_page_can_be_made():
    assert shutil.which("scdoc"), "scdoc is missing, which tools/lib.sh has in its lists"
    made = subprocess.run(["scdoc"], input=MANUAL, capture_output=True, text=True, check=False)
    assert made.returncode == 0 and ".SH EXAMPLES" in made.stdout, made.stderr
