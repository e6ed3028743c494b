# SPDX-License-Identifier: ISC
#
# The loader and the JSON Schema of the tree file are of one opinion: each
# document below is given to `grouper check` and to a validator.  JSON is YAML,
# so both get the same text.  What the schema cannot say, such as that ids are
# unique, has no document here.
#
# usage: schema.py GROUPER SCHEMA

import json
import os
import subprocess
import sys
import tempfile

import jsonschema


def tree(**keys):
    return {"children": [{"id": "a", "command": ["true"]}], **keys}


def child(**keys):
    return {"children": [{"id": "a", "command": ["true"], **keys}]}


def named(key, value, of=child):
    return of(**{key: value})


# Of each key: what is good, and what is not.
TREE = {
    "name": (["a", "a.b", "x" * 32, 7, "${N:-a}", "${NAME_OF_THIS_HOST:-a}"],
             ["", "a/b", "a:b", "a b", "x" * 33, ["a"]]),
    "strategy": (["one_for_all", "${S:-rest_for_one}"], ["one", "", 1]),
    "intensity": ([0, 3, "3", "${I:-3}"], [-1, "-1", 1.5, "many"]),
    "period": ([1, 0.5, "5s", "500ms", "1.5h", "${P:-5s}"],
               [0, "0", "0s", "0.0h", -1, "5 s", "5x", "", "infinity"]),
    "on_limit": (["fail", "cooldown 30s", "cooldown  0.5m", "${L:-fail}"],
                 ["cooldown", "cooldown 0", "cooldown 0.0s", "pause 5s",
                  "cooldown .", "", 5]),
    "auto_shutdown": (["never", "any_significant"], ["always", ""]),
    "names": (["host", "own"], ["mine", ""]),
    "topic_groups": ([{}, {"g": ["a", "b:c"]}], [{"g": [":a"]}, [], "g"]),
    "config": ([{}, {"a": {"b": [1, None]}}], [[], "a"]),
    "x-any": ([1, {"a": "b"}, None], []),
    "nonsense": ([], [1]),
}

CHILD = {
    "id": (["b", 7, "x" * 64, "${ID:-b}"],
           ["", "a/b", "a:1", "a b", "x" * 65, []]),
    "autostart": ([True, False, "true", "${A:-true}"], ["yes please", 2]),
    "restart": (["transient", "${R:-temporary}"], ["never", ""]),
    "depends_on": ([[]], [{}]),
    "backoff": ([{"min": 0, "max": "5s"}, {"min": "1s", "reset": "1h"}, {}],
                [{"min": -1}, {"mid": 1}, "1s", {"min": "x"}]),
    "shutdown": (["5s", 5, "TERM 5s, KILL", "brutal_kill", "infinity",
                  ["TERM 5s", "KILL"]], ["", [], {}]),
    "success": ([0, [0, 143], "255", "${S:-3}"], [256, -1, "256", "x", [-1]]),
    "command": ([["a", ""], ["a", 1], ["${C:-a}"]], [[], [""], "a b", {}]),
    "instances": ([0, 5, "5", "${I:-2}"], [-1, "-1", 100001, "x", 1.5]),
    "ready": (["started", "notify", "fd:3", {"log": "up"},
               {"exec": ["true"]}, {"exec": ["true"], "interval": "1s"}],
              ["", "fd:", "fd:x", "soon", {"log": ""}, {"exec": []},
               {"exec": [""]}, {}, {"log": "a", "exec": ["a"]}]),
    "ready_timeout": (["5s", 5, "infinity"], ["", -1, "never"]),
    "min_uptime": ([0, "1s"], [-1, "infinity"]),
    "watchdog": ([0, "1s"], [-1, "x"]),
    "stop_target": (["command", "tree"], ["leader"]),
    "contain": (["auto", "reaper"], ["jail"]),
    "start_pre": ([["a"]], [[], [""]]),
    "env": ([{"A": "b", "B": 1}, ["A=b"]], [["A"], ["=b"], "A=b"]),
    "env_file": ([], [{}]),
    "cwd": (["/", "${D:-/}"], ["", [], {}]),
    "umask": (["022", "0", "0777", "${U:-022}", 22], ["8", "1000", -1, 1000]),
    "nice": ([0, -20, 5, "-5", "${N:-5}"], [-41, 41, "x", 1.5]),
    "limits": ([{"nofile": 5}, {"core": "unlimited"}, {"as": "1G:2G"},
                {"cpu": "5s"}, {"cpu": 5}, {"cpu": "1m:unlimited"},
                {"nofile": "${L:-5}"}, {}],
               [{"core": "infinity"}, {"nofile": -1}, {"nofile": ""},
                {"files": 1}, {"cpu": "5K"}, {"as": "5s"}, {"as": "1G:"},
                {"as": "x:1"}, {"cpu": "1m:x"}, []]),
    "stdin": (["/dev/null", None], ["", []]),
    "topics": (["a", ["a", "b*"]], ["", ":a", "a:", "a b", [""]]),
    "messages": ([True, "false"], ["maybe"]),
    "on_event": ([{"reload": "HUP"}, {"reload": 1}, {}], [[], {"a": []}]),
    "log": (["prefix", "discard", {"file": "x.log"},
             {"file": "x", "max_size": "5M", "keep": 3}],
            ["", "nowhere", {}, {"file": ""}, {"file": "x", "keep": -1},
             {"file": "x", "keep": "-1"}, {"file": "x", "keep": 1001},
             {"file": "x", "max_size": "5X"}, {"file": "x", "max_size": -1}]),
    "force": ([True], [3]),
    "x-any": ([1, None], []),
    "nonsense": ([], [1]),
    "shell": ([], ["echo"]),  # beside its command
    "supervisor": ([], [{"children": []}]),
}

OTHERS = (
    [{"children": []},
     {"children": [{"id": "a", "shell": "echo"}]},
     {"children": [{"id": "a", "supervisor": {"children": []}}]}],
    [{}, [], "a", {"children": {}}, {"children": [{}]},
     {"children": [{"id": "a"}]}, {"children": [{"command": ["a"]}]},
     {"children": [{"id": "a", "shell": ""}]},
     {"children": [{"id": "a", "supervisor": {}}]},
     {"children": [{"id": "a", "supervisor": {"name": "x",
                                              "children": []}}]}])


def documents():
    for of, keys in ((tree, TREE), (child, CHILD)):
        for key, (good, bad) in keys.items():
            for value in good:
                yield named(key, value, of), True
            for value in bad:
                yield named(key, value, of), False
    for documents_, good in zip(OTHERS, (True, False)):
        for document in documents_:
            yield document, good


def main():
    grouper, schema = sys.argv[1:]
    with open(schema, encoding="utf-8") as file:
        validator = jsonschema.Draft202012Validator(json.load(file))
    validator.check_schema(validator.schema)
    failed = count = 0
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "tree.yaml")
        for document, good in documents():
            count += 1
            with open(path, "w", encoding="utf-8") as file:
                json.dump(document, file)
            loads = subprocess.run([grouper, "check", path],
                                   capture_output=True, text=True)
            valid = validator.is_valid(document)
            if (loads.returncode == 0) == valid == good:
                continue
            failed += 1
            print(f"{json.dumps(document)}: expected "
                  f"{'good' if good else 'bad'}, the schema "
                  f"{'takes' if valid else 'refuses'} it, grouper check: "
                  f"{loads.returncode} {loads.stdout}{loads.stderr}")
    print(f"{count} documents, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
