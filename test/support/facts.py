"""Facts that a Python script checks of a server: each prints a line of JSON, and the last line says how many there are.

Scripts are called with the server's URL, the name of its gateway, and, to run some only, a part of their names.
"""
import json
import sys
import time
import traceback

import requests

URL, GATEWAY = sys.argv[1:3]
TIMEOUT = (5, 10)
FACTS = []


def fact(name):
    def add(function):
        FACTS.append((name, function))
        return function

    return add


def ask(method, path, session=requests, **options):
    options.setdefault("timeout", TIMEOUT)
    return session.request(method, URL + path, **options)


def same(found, wanted):
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def run_facts():
    for name, check in FACTS:
        if len(sys.argv) > 3 and sys.argv[3] not in name:
            continue
        started = time.monotonic()
        try:
            check()
            print(json.dumps({"fact": name, "ok": True, "s": round(time.monotonic() - started, 2)}), flush=True)
        except Exception:
            print(json.dumps({"fact": name, "ok": False, "why": traceback.format_exc()}), flush=True)
    print(json.dumps({"facts": len(FACTS)}), flush=True)
