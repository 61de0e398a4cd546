"""Sorts a plain dump of a schema: its objects by kind and name, the columns and constraints of a table by name. Removes
what is not part of the schema: settings, comments, and the layout of function bodies."""

import re
import sys

# pg_dump writes a line about each object before its definition.
heading = re.compile(r"^-- (?:Data for )?Name: (.*?); Type: (.*?); Schema: (.*?); Owner: (.*)$")
# Where a column or a constraint of a table begins; other indented lines belong to the previous one.
item = re.compile(r'^    (?:[a-z_"]|CONSTRAINT )')
noise = re.compile(r"^(?:\s*--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(?:un)?restrict .*|\s*)$")


def table(lines: list[str]) -> list[str]:
    """The lines of `CREATE TABLE`, the items sorted."""
    end = lines.index(");") if ");" in lines else None
    if end is None or not lines[0].startswith("CREATE TABLE"):
        return lines
    items: list[list[str]] = []
    for line in lines[1:end]:
        if item.match(line):
            items.append([line])
        else:
            items[-1].append(line)
    for each in items:
        each[-1] = each[-1].removesuffix(",")
    return lines[:1] + [line for each in sorted(items) for line in each] + lines[end:]


def function(lines: list[str]) -> list[str]:
    """The words of a body, in lines short enough that a diff is useful."""
    text = re.sub(r"\s+", " ", " ".join(re.sub(r"\s--\s.*$", "", line) for line in lines))
    text = text.replace("( ", "(").replace(" )", ")")
    return re.sub(r"(;|\bTHEN|\bFROM|\bWHERE|\bAND|\bbegin|\bthen|\bfrom|\bwhere|\band) ", r"\1\n        ", text).split("\n")


objects: list[tuple[str, list[str]]] = []
lines: list[str] = []
for line in sys.stdin.read().splitlines():
    if found := heading.match(line):
        lines = []
        name, kind, schema, owner = found.groups()
        objects.append((f"== {kind} {name} ({schema}, {owner})", lines))
    elif not noise.match(line):
        lines.append(line)
# A check that was added without validating existing rows equals any other check if there were no rows.
for name, lines in [each for each in objects if each[0].startswith("== CHECK CONSTRAINT ")]:
    text = " ".join(line.strip() for line in lines)
    if check := re.search(r"^ALTER TABLE (\S+) ADD (CONSTRAINT .*) NOT VALID;$", text):
        of_table = next(each for _, each in objects if each[:1] == [f"CREATE TABLE {check[1]} ("])
        of_table.insert(1, f"    {check[2]},")
        objects.remove((name, lines))
for name, lines in sorted(objects):
    print(name)
    if " TABLE " in name.split("(")[0]:
        lines = table(lines)
    elif name.startswith(("== FUNCTION", "== PROCEDURE", "== AGGREGATE")):
        lines = function(lines)
    for line in lines if name.startswith(("== TABLE", "== FUNCTION", "== VIEW")) else sorted(lines):
        print(f"    {line}")
