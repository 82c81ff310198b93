#!/usr/bin/env python3
"""Prints gcovr's summary as a table of the folders of src; fails if one, or all, is below so many percent."""
import collections
import json
import os
import sys


def folders_of(path):
    """(lines, of them reached) of each folder."""
    folders = collections.defaultdict(lambda: (0, 0))
    with open(path, encoding='utf-8') as summary:
        for file in json.load(summary)['files']:
            folder = os.path.dirname(file['filename'])
            lines, reached = folders[folder]
            folders[folder] = (lines + file['line_total'], reached + file['line_covered'])
    return folders


def main(path, least):
    folders = folders_of(path)
    whole = tuple(map(sum, zip(*folders.values())))
    low = []
    print('| folder | lines | reached | percent |\n|---|---|---|---|')
    for folder, (lines, reached) in [*sorted(folders.items()), ('all', whole)]:
        percent = 100 * reached / lines
        print(f'| `{folder}` | {lines} | {reached} | {percent:.1f} |')
        if percent < least:
            low.append(folder)
    if low:
        sys.exit(f'below {least} %: {", ".join(low)}')


if __name__ == '__main__':
    main(sys.argv[1], float(sys.argv[2]))
