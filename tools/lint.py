#!/usr/bin/env python3
"""What the compilers do not check and a reviewer should not have to: see each check's first line."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
LINES_OF_A_FUNCTION = 70
COLUMNS = 110  # the aim is 100
BANNED = {
    'strcpy': 'snprintf or memcpy', 'strcat': 'snprintf', 'sprintf': 'snprintf', 'vsprintf': 'vsnprintf',
    'strtok': 'strcspn', 'gets': 'fgets', 'rand': 'base/rand.h', 'srand': 'base/rand.h', 'random': 'base/rand.h',
    'alloca': 'an array of fixed size', 'assert': 'MUST or CHECK of base/bug.h', 'atoi': 'strtoul with checks',
}
BANNED_CALL = re.compile(r'(?<![\w.>])(' + '|'.join(BANNED) + r')\s*\(')
PROMISE = re.compile(r'\b(TODO|FIXME|XXX)\b')
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def files(folder, *patterns):
    return sorted(f for pattern in patterns for f in (TOP / folder).rglob(pattern))


def name_of(file):
    return str(file.relative_to(TOP))


def code_of(text):
    """The text with comments and literals blanked; lines and columns stay where they are."""
    return NOT_CODE.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)


def check_function_length(file, lines):
    """A function fits on two screens. (A table does not open with a brace on its own line.)"""
    start = 0
    for n, line in enumerate(lines, 1):
        if line == '{':
            start = n
        elif line == '}' and start:
            if n - start - 1 > LINES_OF_A_FUNCTION:
                yield f'{name_of(file)}:{start}: a function of {n - start - 1} lines, at most {LINES_OF_A_FUNCTION}'
            start = 0


def check_banned(file, text):
    """Calls that are unsafe, predictable, or not ours."""
    for n, line in enumerate(code_of(text).splitlines(), 1):
        for found in BANNED_CALL.finditer(line):
            yield f'{name_of(file)}:{n}: {found[1]}() is banned: use {BANNED[found[1]]}'


def check_lines(file, lines):
    """Width, white space, promises."""
    for n, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield f'{name_of(file)}:{n}: more than {COLUMNS} columns'
        if line != line.rstrip():
            yield f'{name_of(file)}:{n}: white space at the end'
        if found := PROMISE.search(line):
            yield f'{name_of(file)}:{n}: {found[1]}: do it now, or leave it out'


def check_own_header_first(file, lines):
    """A .c file includes its own header before all others, so that the header is seen to be complete."""
    own = file.with_suffix('.h')
    if file.suffix != '.c' or not own.exists():
        return
    first = next((line for line in lines if line.startswith('#include')), '')
    expected = f'#include "{own.relative_to(TOP / "src")}"'
    if first != expected:
        yield f'{name_of(file)}: the first include must be {expected}'


def check_sources():
    for file in files('src', '*.[ch]') + files('tests', '*.[ch]'):
        text = file.read_text()
        lines = text.splitlines()
        yield from check_lines(file, lines)
        if not text.endswith('\n'):
            yield f'{name_of(file)}: the last line has no end'
        if file.is_relative_to(TOP / 'src'):
            yield from check_function_length(file, lines)
            yield from check_banned(file, text)
            yield from check_own_header_first(file, lines)


def check_headers():
    """Each header compiles alone."""
    compiler = (os.environ.get('CC') or 'cc').split()

    def compile_alone(header):
        command = [*compiler, '-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
                   '-I', str(TOP / 'src'), '-x', 'c', '-']
        text = f'#include "{header.relative_to(TOP / "src")}"\n'
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        return f'{name_of(header)}: does not compile alone\n{done.stderr}' if done.returncode else None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(compile_alone, files('src', '*.h')))


def check_build():
    """Nothing lies about that no build and no test knows."""
    def listed(meson, spelling, found):
        text = (TOP / meson).read_text()
        for file in found:
            if f"'{spelling(file)}'" not in text:
                yield f'{name_of(file)}: is not in {meson}'

    def relative(folder, ending):
        return lambda file: str(file.relative_to(TOP / folder)).removesuffix(ending)

    yield from listed('src/meson.build', relative('src', ''), files('src', '*.c'))
    yield from listed('tests/unit/meson.build', relative('tests/unit', '_test.c'), files('tests/unit', '*_test.c'))
    yield from listed('tests/sim/meson.build', relative('tests/sim', ''), files('tests/sim', '*.c'))
    yield from listed('tests/sim/meson.build', relative('tests/sim', '.play'), files('tests/sim', '*.play'))
    yield from listed('tests/fuzz/meson.build', lambda file: file.stem.removeprefix('fuzz_'),
                      files('tests/fuzz', 'fuzz_*.c'))


def check_file_map():
    """README lists each module of src once, and none that is not there."""
    modules = {str(f.relative_to(TOP / 'src').with_suffix('')) for f in files('src', '*.[ch]')}
    section = (TOP / 'README.md').read_text().partition('\n## File map\n')[2].partition('\n## ')[0]
    listed = re.findall(r'^([\w/]+) +\S', section, re.M)
    for module in sorted(modules - set(listed)):
        yield f'README.md: the file map lacks {module}'
    for module in sorted(set(listed) - modules):
        yield f'README.md: the file map lists {module}, which is not in src'
    for module in sorted({m for m in listed if listed.count(m) > 1}):
        yield f'README.md: the file map lists {module} twice'


CALL_ROW = re.compile(r'\{ "([\w ]+)", (\w+)(?:\(([^)]*)\))?,\s+"([^"]+)" \},')
CALL_TESTS = {'IS': 'is {1}', 'HAS': 'has {1}', 'LACKS': 'has no {1}', 'IS_SELF': 'is this process'}


def call_rows():
    """The tables of system calls in src/sandbox/calls.c, as rows of Markdown."""
    for names, kind, arguments, why in CALL_ROW.findall((TOP / 'src/sandbox/calls.c').read_text()):
        when = ''
        if kind == 'IF_FAMILY':
            when = f'`{arguments}`, and no protocol is named'
        elif kind == 'IF':
            test, place, value = arguments.split(', ')
            when = f'argument {int(place) + 1} ' + CALL_TESTS[test].format(place, f'`{value}`')
        yield f'| {" ".join(f"`{name}`" for name in names.split())} | {when} | {why} |'


def check_calls():
    """docs/sandbox.md lists each row of the tables of system calls, and none that is not there."""
    listed = re.findall(r'^\| `\w+`.*\|.*\|.*\|$', (TOP / 'docs/sandbox.md').read_text(), re.M)
    rows = list(call_rows())
    for row in rows:
        if row not in listed:
            yield f'docs/sandbox.md lacks: {row}'
    for row in listed:
        if row not in rows:
            yield f'docs/sandbox.md has what is not in src/sandbox/calls.c: {row}'


def is_shell(file):
    if file.suffix in ('.c', '.h', '.py') or not file.is_file():
        return False
    with file.open('rb') as f:
        return re.match(rb'#!.*\bbash\b', f.readline()) is not None


def check_scripts():
    """shellcheck has nothing to say (where it is installed)."""
    if not shutil.which('shellcheck'):
        return
    candidates = [TOP / 'run', TOP / 'test'] + files('.ci', '*') + files('tools', '*') + files('tests', '*')
    done = subprocess.run(['shellcheck', '-x', '-P', 'SCRIPTDIR', '-f', 'gcc', *filter(is_shell, candidates)],
                          capture_output=True, text=True, cwd=TOP)
    yield from done.stdout.splitlines()


def main():
    checks = [check_sources, check_headers, check_build, check_file_map, check_calls, check_scripts]
    problems = [problem for check in checks for problem in check()]
    print('\n'.join(problems) or f'lint: {len(files("src", "*.[ch]"))} files, nothing to say')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
