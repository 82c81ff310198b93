#!/usr/bin/env python3
"""Every #include points down: src/LAYERS says which folder may include which, and no circle is allowed."""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / 'src'
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def read_layers():
    """The level of each folder; a higher number lies lower."""
    level = {}
    for n, line in enumerate((SRC / 'LAYERS').read_text().splitlines()):
        if not line.startswith('#'):
            level.update(dict.fromkeys(line.split(), n))
    return level


def includes_of(file):
    for n, line in enumerate(file.read_text().splitlines(), 1):
        if found := INCLUDE.match(line):
            yield n, found[1]


def check_arrows(level, problems):
    """Checks each include by itself; returns which module needs which."""
    needs = {}
    for file in sorted(SRC.rglob('*.[ch]')):
        name = file.relative_to(SRC)
        here = str(name.parent)
        module = needs.setdefault(str(name.with_suffix('')), set())
        if here not in level:
            problems.append(f'src/{name}: the folder {here} is not in src/LAYERS')
            continue
        for line, target in includes_of(file):
            there = str(pathlib.PurePath(target).parent)
            if not (SRC / target).exists():
                problems.append(f'src/{name}:{line}: there is no src/{target}')
            elif there != here and level.get(there, -1) <= level[here]:
                problems.append(f'src/{name}:{line}: {here} may not include {there}')
            module.add(str(pathlib.PurePath(target).with_suffix('')))
    return needs


def check_circles(needs, problems):
    done = set()

    def visit(module, path):
        if module in path:
            problems.append('circle: ' + ' -> '.join(path[path.index(module):] + [module]))
        elif module not in done:
            for other in sorted(needs.get(module, set()) - {module}):
                visit(other, path + [module])
            done.add(module)

    for module in sorted(needs):
        visit(module, [])


def main():
    problems = []
    needs = check_arrows(read_layers(), problems)
    check_circles(needs, problems)
    print('\n'.join(problems) or f'layers: {len(needs)} modules, every arrow points down')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
