# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of logrotate, what logrotate 3.21 does to ``trades.jsonl`` with them, and how our code judges them.

The unit tests compare our reading with this table, and a lab test compares the table with the real program.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.aurora.runbook.plugins.module_utils.act import _logrotate
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError

LOGS = ("trades.jsonl", "orders.jsonl")
GONE = ""  # what a writer that did not reopen yet still writes is in no file
STAYS = "trades.jsonl"  # the writer's file is still the live log: copied, truncated or not rotated
DATED, FIRST = "trades.jsonl-%Y%m%d", "trades.jsonl.1"


@dataclass(frozen=True)
class Case:
    """``config`` is the file in logrotate.d, which ``main`` includes; LOGS/ and CONF/ in them are the folders.

    ``becomes`` is the name that the writer's file has afterwards, with the date as strftime writes it, ``refused`` a
    part of what we say, "" where we rotate. ``also`` are more files in logrotate.d, by name.
    """

    name: str
    config: str
    becomes: str = FIRST
    refused: str = ""
    main: str = "include CONF/\n"
    also: dict[str, str] = field(default_factory=dict)


def block(*lines: str, names: str = "LOGS/*.jsonl") -> str:
    return "\n".join([f"{names} {{", *(f"    {line}" for line in lines), "}", ""])


def simple(name: str, *lines: str, **more: object) -> Case:
    return Case(name, block(*lines), **more)


NO_ROTATE = {"becomes": GONE, "refused": "without rotate"}
COPIES = {"becomes": STAYS, "refused": "loses the lines written while it copies"}
PACKS = {"becomes": GONE, "refused": "compress without delaycompress"}
GOOD = ("rotate 5", "create")
CASES = (
    simple(
        "usual", "daily", "rotate 14", "missingok", "notifempty", "compress", "delaycompress", "create", "sharedscripts"
    ),
    Case("comment that looks like a block", "LOGS/*.jsonl {  # copytruncate {}\n rotate 5\n}\n"),
    Case("script that looks like directives", block("rotate 5", "postrotate", "  : compress {", "endscript")),
    Case("flags in one line", "LOGS/*.jsonl {\n daily compress delaycompress rotate 5\n}\n"),
    Case("names over lines", 'LOGS/orders.jsonl\n# more {\n"LOGS/trades.jsonl"\n{\n rotate 5\n}\n'),
    Case("quoted pattern", "'LOGS/*.jsonl' {\n rotate 5\n}\n"),
    Case("class that excludes", block("rotate 5", names="LOGS/[^o]*.jsonl")),
    # The number of files that are kept
    simple("no rotate", "daily", **NO_ROTATE),
    simple("rotate 0", "rotate 0", **NO_ROTATE),
    simple("rotate with an equals sign", "rotate = 0", **NO_ROTATE),
    simple("rotate with an equals sign alone", "rotate=0", **NO_ROTATE),
    simple("rotate 00", "rotate 00", **NO_ROTATE),
    simple("rotate 0x0", "rotate 0x0", **NO_ROTATE),
    simple("rotate beyond an int", "rotate 4294967296", **NO_ROTATE),
    simple("rotate twice, the last one is 0", "rotate 5", "rotate 0", **NO_ROTATE),
    simple("rotate twice, the first one is 0", "rotate 0", "rotate 5"),
    simple("rotate without end", "rotate -1"),
    simple("rotate octal", "rotate 010"),
    simple("rotate and tabs", "rotate\t=\t5"),
    simple("rotate below the least", "rotate -2", becomes=STAYS, refused="bad number"),
    simple("rotate with a comment", "rotate 5 # days", becomes=STAYS, refused="bad number"),
    simple("rotate with a bad number after a good one", "rotate 5", "rotate 08", becomes=STAYS, refused="bad number"),
    Case("rotate from above", "rotate 5\n" + block("daily")),
    Case("rotate 0 above, a number in the block", "rotate 0\n" + block(*GOOD)),
    Case("a number above, rotate 0 in the block", "rotate 5\n" + block("rotate 0"), **NO_ROTATE),
    # The last of two counts
    Case(
        "nocopytruncate above, copytruncate in the block", "nocopytruncate\n" + block(*GOOD, "copytruncate"), **COPIES
    ),
    simple("nocopytruncate first", *GOOD, "nocopytruncate", "copytruncate", **COPIES),
    simple("nocopytruncate last", *GOOD, "copytruncate", "nocopytruncate"),
    Case("copytruncate above, nocopytruncate in the block", "copytruncate\n" + block(*GOOD, "nocopytruncate")),
    simple("renamecopy is undone by copytruncate", *GOOD, "renamecopy", "copytruncate", "nocopytruncate"),
    simple("renamecopy", *GOOD, "renamecopy", becomes=GONE, refused="renamecopy loses"),
    simple("copy", *GOOD, "copy", **COPIES),
    simple("nocopy last", *GOOD, "copy", "nocopy"),
    simple("compress at once", *GOOD, "compress", **PACKS),
    simple("nodelaycompress last", *GOOD, "compress", "delaycompress", "nodelaycompress", **PACKS),
    simple("delaycompress last", *GOOD, "compress", "nodelaycompress", "delaycompress"),
    Case("nocompress above, compress in the block", "nocompress\n" + block(*GOOD, "compress"), **PACKS),
    Case("compress above, nocompress in the block", "compress\n" + block(*GOOD, "nocompress")),
    Case("compress above alone", "compress\n" + block(*GOOD), **PACKS),
    Case("compress below another block", block(*GOOD) + "compress\n"),
    simple("an equals sign after a flag", *GOOD, "compress=", **PACKS),
    simple("olddir", *GOOD, "olddir ../old", becomes=GONE, refused="olddir leads"),
    simple("noolddir last", *GOOD, "olddir ../old", "noolddir"),
    simple("mail", *GOOD, "mail root", refused="mail leads"),
    simple("nomail last", *GOOD, "mail root", "nomail"),
    simple("shred", *GOOD, "shred", refused="shred overwrites"),
    simple("noshred last", *GOOD, "shred", "noshred"),
    # What the file is called
    simple("start", *GOOD, "start 3", becomes="trades.jsonl.3"),
    Case("extension", block(*GOOD, "extension .jsonl", names="LOGS/trades.jsonl"), "trades.1.jsonl"),
    Case("extension that the log does not have", block(*GOOD, "extension .log", names="LOGS/trades.jsonl")),
    Case("addextension", block(*GOOD, "addextension .jsonl", names="LOGS/trades.jsonl"), "trades.1.jsonl"),
    Case("addextension above, which goes unheeded", "addextension .jsonl\n" + block(*GOOD)),
    simple(
        "extension that the pattern takes for a log",
        *GOOD,
        "extension .jsonl",
        becomes="trades.1.jsonl",
        refused="rotate again",
    ),
    Case("pattern that takes rotated files for logs", block(*GOOD, names="LOGS/*"), refused="rotate again"),
    simple(
        "addextension that is unknown",
        *GOOD,
        "addextension .old",
        becomes="trades.jsonl.1.old",
        refused="name of a rotated log",
    ),
    simple("dateext", *GOOD, "dateext", becomes=DATED),
    simple("dateext hourly", "hourly", *GOOD, "dateext", becomes=DATED + "%H"),
    simple("dateext no longer hourly", "hourly", "size 1k", *GOOD, "dateext", becomes=DATED),
    simple("nodateext last", *GOOD, "dateext", "nodateext"),
    simple("dateformat", *GOOD, "dateext", "dateformat .%Y-%m-%d", becomes="trades.jsonl.%Y-%m-%d"),
    simple("dateformat without dateext", *GOOD, "dateformat .%Y-%m-%d"),
    simple(
        "dateformat in words",
        *GOOD,
        "dateext",
        "dateformat .old",
        becomes="trades.jsonl.old",
        refused="name of a rotated log",
    ),
    simple(
        "dateformat with what is no date",
        *GOOD,
        "dateext",
        "dateformat -%d%%",
        becomes="trades.jsonl-%d%%%%",
        refused="name of a rotated log",
    ),
    Case(
        "dateext and extension",
        block(*GOOD, "dateext", "extension .jsonl", names="LOGS/trades.jsonl"),
        "trades-%Y%m%d.jsonl",
    ),
    simple("compressext", *GOOD, "compress", "delaycompress", "compressext .packed", refused="name of a rotated log"),
    simple("compresscmd", *GOOD, "compress", "delaycompress", "compresscmd /bin/bzip2"),
    # The main configuration, and other files
    Case("dateext in the main configuration", block(*GOOD), DATED, main="dateext\ninclude CONF/\n"),
    Case("dateext below the include", block(*GOOD), main="include CONF/\ndateext\n"),
    Case("rotate in the main configuration", block("daily"), main="weekly\nrotate 4\ncreate\ninclude CONF/\n"),
    Case("rotate 0 in the main configuration", block("daily"), main="rotate 0\ninclude CONF/\n", **NO_ROTATE),
    Case("rotate below the include", block("daily"), main="include CONF/\nrotate 4\n", **NO_ROTATE),
    Case("su in the main configuration", block(*GOOD), main="su root root\ninclude CONF/\n"),
    Case("an earlier file's words hold for this one", block(*GOOD), DATED, also={"aaa": "dateext\n"}),
    Case("a later file's do not", block(*GOOD), also={"zzz": "dateext\n"}),
    Case("a file that is passed over", block(*GOOD), also={"aaa.bak": "dateext\n", "aab~": "compress\n"}),
    Case("tabooext of one's own", block(*GOOD), main="tabooext .x\ninclude CONF/\n", also={"a.x": "compress\n"}),
    Case(
        "tabooext adds",
        block(*GOOD),
        main="tabooext + .x, .y\ninclude CONF/\n",
        also={"a.y": "compress\n", "a.bak": "copy\n"},
    ),
    Case("taboopat", block(*GOOD), main="taboopat a?\ninclude CONF/\n", also={"ab": "compress\n"}),
    Case(
        "include of one file in a block",
        block(*GOOD, "include CONF/more.bak"),
        also={"more.bak": "copytruncate\n"},
        **COPIES,
    ),
    Case("an earlier file with an error is undone", block(*GOOD), also={"aaa": "dateext\nrotate x\n"}),
    Case("another package's block", block(*GOOD), also={"aaa": block("copytruncate", "bogus", names="/nowhere/*.log")}),
    Case(
        "two files name a log",
        block(*GOOD),
        refused="as does",
        also={"aaa": block("rotate 3", names="LOGS/trades.jsonl")},
    ),
    Case(
        "what follows a log that is named twice is left out",
        block(*GOOD),
        becomes=STAYS,
        refused="as does",
        also={"aaa": block("rotate 3", names="LOGS/orders.jsonl")},
    ),
    Case(
        "two files name a log, and it is said to be meant",
        block(*GOOD),
        also={"aaa": block("rotate 3", "ignoreduplicates", names="LOGS/trades.jsonl")},
    ),
    Case("a block names a log twice", block(*GOOD, names="LOGS/trades.jsonl LOGS/*.jsonl"), refused="names"),
    # What is not understood
    simple("an unknown word", *GOOD, "keepforever", refused="keepforever is not understood"),
    Case("an unknown word above", "keepforever 3\n" + block(*GOOD), refused="keepforever is not understood"),
    Case("a block in one line", "LOGS/*.jsonl { rotate 5 }\n", refused="bad number"),
    Case("a block in one line without values", "rotate 5\nLOGS/*.jsonl { daily }\n"),
    Case("a block that is not ended", "LOGS/*.jsonl {\n rotate 5\n", refused="not ended"),
    Case("a bare name", "trades.jsonl {\n rotate 5\n}\n", STAYS, "is followed by"),
    Case("lines of another system", "LOGS/*.jsonl {\r\n rotate 5\r\n}\r\n", STAYS, "neither a directive"),
    simple("a user whom nobody knows", *GOOD, "create 0640 nobodyatall root", becomes=STAYS, refused="nobodyatall"),
    simple("a script without an end", *GOOD, "postrotate", "true", becomes=STAYS, refused="endscript"),
    Case("no block of these logs", block(*GOOD, names="LOGS/*.log"), STAYS, "no block names"),
)


def lay_out(folder: Path, case: Case) -> Path:
    """Logs and configurations of a case; the one in logrotate.d is returned."""
    for name in ("logs", "old", "d"):
        (folder / name).mkdir(parents=True)
    for name in LOGS:
        (folder / "logs" / name).write_text("line\n", encoding="utf-8")
    config = folder / "d" / "aurora"
    files = {config: case.config, folder / "main": case.main}
    files.update({folder / "d" / name: text for name, text in case.also.items()})
    for path, text in files.items():
        path.write_bytes(text.replace("LOGS/", f"{folder}/logs/").replace("CONF/", f"{folder}/d/").encode())
        path.chmod(0o644)
    return config


def ours(folder: Path, config: Path, now: float) -> tuple[str, str]:
    """What we would run for the logs, and why not."""
    keys = {}
    for name in LOGS:
        status = os.stat(folder / "logs" / name)
        keys[name] = (status.st_dev, status.st_ino)
    try:
        reading = _logrotate.read(str(config), str(folder / "main"))
        return _logrotate.rotation(reading, str(config), str(folder / "logs"), keys, now).config, ""
    except RunbookError as error:
        return "", str(error)


def real(folder: Path, config: Path) -> str:
    """What the writer's file is called after logrotate ran, "" when it has no name any more."""
    with (folder / "logs" / "trades.jsonl").open(encoding="utf-8") as log:
        argv = ["/usr/sbin/logrotate", "--force", "--state", str(folder / "state"), "--mail", "/bin/true", str(config)]
        subprocess.run(argv, check=False, capture_output=True)
        inode = os.fstat(log.fileno()).st_ino
    return next((entry.name for entry in os.scandir(folder / "logs") if entry.inode() == inode), GONE)


def against_the_real_program(folder: Path) -> list[dict]:
    """Every case by logrotate itself: with its own configuration, and with what we would run."""
    results = []
    for number, case in enumerate(CASES):
        top, again = folder / str(number), folder / f"{number}-again"
        lay_out(top, case)
        by_main = real(top, top / "main")
        config, refused = ours(again, lay_out(again, case), time.time())
        by_ours = ""
        if config:
            (again / "ours").write_text(config, encoding="utf-8")
            by_ours = real(again, again / "ours")
        results.append({"name": case.name, "main": by_main, "ours": by_ours, "refused": refused})
    return results
