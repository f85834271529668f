#!/usr/bin/env python3
"""Reads the recorded access logs with PyPI's apachelogs 0.6.1, an independent parser, and writes what
it finds to clf.ndjson, which `cargo test -p pillion-parsers --test cross` compares with ours.

    pip install apachelogs==0.6.1 && python3 parsers/tests/cross/clf.py
"""
import json
import pathlib

import apachelogs

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "../../../fixtures/recorded"
LOGS = {
    "apache/common.log": apachelogs.COMMON,
    "apache/combined.log": apachelogs.COMBINED,
    "apache/vhost_combined.log": "%v:%p " + apachelogs.COMBINED,
    "nginx/access.log": apachelogs.COMBINED,
}

with open(HERE / "clf.ndjson", "w") as out:
    for log, form in LOGS.items():
        # Bytes that are no UTF-8 stay bytes: compared are only texts.
        parser = apachelogs.LogParser(form, encoding="utf-8", errors="surrogateescape")
        for number, line in enumerate((RECORDED / log).read_text().splitlines(), 1):
            found = {"log": log, "line": number}
            try:
                entry = parser.parse(line)
            except (apachelogs.InvalidEntryError, ValueError):
                found["unfit"] = True
            else:
                found["time"] = entry.request_time.timestamp()
                found["client_ip"] = entry.remote_host
                found["user"] = entry.remote_user
                found["request"] = entry.request_line
                found["status"] = entry.final_status
                found["bytes"] = entry.bytes_sent
                for key, header in [("referrer", "Referer"), ("user_agent", "User-Agent")]:
                    if log != "apache/common.log":
                        found[key] = entry.headers_in[header]
                for key, text in found.items():
                    if isinstance(text, str) and any("\udc80" <= c <= "\udcff" for c in text):
                        found[key] = {"no_utf8": True}
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
