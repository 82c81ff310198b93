#!/usr/bin/env python3
"""Prints what a report says: how many tests passed, failed and were skipped, and the names of those that failed.

A report is meson's testlog.json or a JUnit file; without one, something broke before it was written: one failure.
"""
import json
import re
import sys
import xml.etree.ElementTree

RESULTS = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}
SKIPPED = re.compile(r'# *skip', re.I)


def of_tap(text):
    """One result for each line of the Test Anything Protocol."""
    for line in text.splitlines():
        if found := re.match(r'(not )?ok\b(?: \d+)?(?: - )?(.*)', line):
            yield found[2], 'skipped' if SKIPPED.search(found[2]) else 'failed' if found[1] else 'passed'


def of_meson(path):
    with open(path, encoding='utf-8') as log:
        for test in map(json.loads, log):
            whole = RESULTS.get(test['result'], 'failed')
            parts = [(f'{test["name"]}: {name}', result) for name, result in of_tap(test.get('stdout', ''))]
            yield from parts
            if not parts or whole == 'failed' and all(result != 'failed' for _, result in parts):
                yield test['name'], whole


def of_junit(path):
    for case in xml.etree.ElementTree.parse(path).iter('testcase'):
        name = f'{case.get("classname")}.{case.get("name")}'
        if case.find('failure') is not None or case.find('error') is not None:
            yield name, 'failed'
        else:
            yield name, 'skipped' if case.find('skipped') is not None else 'passed'


def main(path):
    try:
        results = list(of_junit(path) if path.endswith('.xml') else of_meson(path))
    except (OSError, ValueError, xml.etree.ElementTree.ParseError):
        results = [(f'{path} was not written', 'failed')]
    count = {kind: sum(result == kind for _, result in results) for kind in ('passed', 'failed', 'skipped')}
    print(*count.values(), ', '.join(name for name, result in results if result == 'failed'))


if __name__ == '__main__':
    main(sys.argv[1])
