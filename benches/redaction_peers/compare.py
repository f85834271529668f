"""Scores peers on the labelled corpus, on the same lines and by the same rules as pillion.

    python3 -m venv "$DIR" && "$DIR"/bin/pip install -r requirements.txt
    cargo run --release -p pillion-parsers --example redact_corpus > "$DIR"/corpus.ndjson
    "$DIR"/bin/python compare.py "$DIR"/corpus.ndjson [--sample N] [--only NAME] [--write docs/redaction.md]

A value is found where what was taken covers all of it and beyond it, and what belongs to it, no more than
four characters of punctuation on each side. What was taken and does not do so is a false alarm, unless it
touches a value of a kind that the tool does not claim.
"""

import argparse
import json
import random
import re
import sys
import time

import peers

BEGIN, END = "<!-- peers -->", "<!-- end of peers -->"
# Of these the recorded lines hold many that nobody labelled: there, they are no false alarms.
UNLABELLED = {"ipv4", "ipv6", "mac", "session_id"}
ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.|[^\w]", re.S)


def adjoining(text):
    """Whether a text is no more than four characters of punctuation, or escapes."""
    parts = ESCAPE.findall(text)
    return len(parts) <= 4 and "".join(parts) == text


def covers(line, start, end, span):
    value, outer = span["value"], span["outer"]
    if start > value[0] or end < value[1]:
        return False
    others = [other["outer"] for other in line["spans"]]
    low = min([other[0] for other in others if other[1] > start] + [outer[0]])
    high = max([other[1] for other in others if other[0] < end] + [outer[1]])
    text = line["bytes"]
    before = text[start : max(low, start)].decode("utf-8", "replace")
    behind = text[min(high, end) : end].decode("utf-8", "replace")
    return adjoining(before) and adjoining(behind)


def score(lines, taken, claims):
    """Values, found, right, alarms, lines with an alarm; of the kinds claimed, and of all."""
    claimed = {kind for kinds in claims.values() for kind in kinds}
    of_claimed = dict(values=0, found=0, right=0, alarms=0, recorded=0, alarmed=0, all=0, all_found=0)
    for line, parts in zip(lines, taken):
        for span in line["spans"]:
            if span["kind"] == "either":
                continue
            found = any(covers(line, start, end, span) for start, end, _ in parts)
            of_claimed["all"] += 1
            of_claimed["all_found"] += found
            if span["kind"] in claimed:
                of_claimed["values"] += 1
                of_claimed["found"] += found
        alarmed = False
        for start, end, kind in parts:
            if kind not in claims:
                continue
            touched = [span for span in line["spans"] if start < span["outer"][1] and span["outer"][0] < end]
            if any(covers(line, start, end, span) for span in touched):
                of_claimed["right"] += 1
            elif any(span["kind"] not in claimed for span in touched):
                continue
            elif line["part"] == "recorded" and UNLABELLED & set(claims[kind]):
                continue
            else:
                of_claimed["alarms"] += 1
                alarmed = True
        if line["part"] == "recorded":
            of_claimed["recorded"] += 1
            of_claimed["alarmed"] += alarmed
    return of_claimed


def row(name, scored, speed):
    def part(of, whole):
        return f"{of / whole:.3f}" if whole else "–"

    precision = part(scored["right"], scored["right"] + scored["alarms"])
    often = scored["alarmed"] * 2000 / max(scored["recorded"], 1)
    return (
        f"| {name} | {part(scored['found'], scored['values'])} | {precision} | {often:.1f} "
        f"| {part(scored['all_found'], scored['all'])} | {speed} |"
    )


def in_bytes(text, parts):
    """Parts in characters as parts in bytes."""
    return [(len(text[:a].encode()), len(text[:b].encode()), kind) for a, b, kind in parts]


def rate(count):
    return f"{count:,.0f}"


def compare(lines, meta, only):
    tools = [
        ("Presidio, its default recognizers", peers.PRESIDIO_DEFAULT,
         lambda: peers.presidio(peers.PRESIDIO_DEFAULT)),
        ("Presidio, all countries", peers.PRESIDIO_ALL, lambda: peers.presidio(peers.PRESIDIO_ALL)),
        ("scrubadub", peers.SCRUBADUB, peers.scrubadub),
        ("detect-secrets", peers.DETECT_SECRETS, peers.detect_secrets),
    ]
    texts = [line["text"] for line in lines]
    columns = "| recall | precision | false alarms in 2,000 lines | recall of all kinds | lines/s |"
    table = ["| tool " + columns, "|---|" + "---:|" * 5]
    tokens = meta["tokens"]
    for name, claims, make in tools:
        if only and only.lower() not in name.lower():
            continue
        run = make()
        started = time.perf_counter()
        taken = [in_bytes(text, parts) for text, parts in zip(texts, run(texts))]
        speed = len(texts) / (time.perf_counter() - started)
        table.append(row(name, score(lines, taken, claims), rate(speed)))
        kinds = {kind for kinds in claims.values() for kind in kinds}
        # By token: every kind that leaves it, so that nothing of what pillion takes for one is left out.
        ours = {}
        for kind in kinds & tokens.keys():
            ours.setdefault(tokens[kind], []).append(kind)
        for kind in kinds - tokens.keys():
            ours.setdefault("", []).append(kind)
        taken = [line["pillion"]["all"] for line in lines]
        table.append(row("– pillion on the same kinds", score(lines, taken, ours), rate(meta["lines_per_second"]["all"])))
        print(table[-2], table[-1], sep="\n", file=sys.stderr)
    every = {}
    for kind, token in tokens.items():
        every.setdefault(token, []).append(kind)
    for name in ("default", "all"):
        on = {token: kinds for token, kinds in every.items() if token in meta["on"][name]}
        taken = [line["pillion"][name] for line in lines]
        table.append(row(f"pillion, {name} rules", score(lines, taken, on), rate(meta["lines_per_second"][name])))
    return "\n".join(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("--sample", type=int, help="so many lines, drawn by a fixed seed")
    parser.add_argument("--only", help="only the tool of which this is a part of the name")
    parser.add_argument("--write", help="a page whose part between the marks is replaced")
    options = parser.parse_args()
    with open(options.corpus, encoding="utf-8") as file:
        meta, *lines = map(json.loads, file)
    if options.sample and options.sample < len(lines):
        lines = random.Random(1).sample(lines, options.sample)
    for line in lines:
        line["bytes"] = line["text"].encode()
    table = compare(lines, meta, options.only)
    said = f"On {len(lines):,} lines of the corpus:\n\n{table}"
    print(said)
    if options.write:
        with open(options.write, encoding="utf-8") as file:
            page = file.read()
        before, _, rest = page.partition(BEGIN)
        _, _, behind = rest.partition(END)
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(f"{before}{BEGIN}\n\n{said}\n\n{END}{behind}")


if __name__ == "__main__":
    main()
