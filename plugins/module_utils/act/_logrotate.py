# SPDX-License-Identifier: GPL-3.0-or-later
"""What logrotate would do to a log, read from its configuration as logrotate 3.21 reads it. Private to aurora.runbook.

Order matters in this language: a directive applies to the blocks and included files that come after it, and the last of
two wins. So the nightly rotation of a log is known only by reading the main configuration from its first line. The
result is judged here and written as a configuration of its own, so that exactly what was judged is what runs.
"""

from __future__ import annotations

import copy
import fnmatch
import glob
import grp
import os
import pwd
import re
import stat
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.look import _log_names

Key = tuple[int, int]  # device and inode

BLANK, SPACE = " \t", " \t\n\v\f\r"
DEEPEST = 16
MOST_FILES = 1000
LARGEST = 1 << 20
LONGEST_DATE = 127  # characters of the pattern that logrotate makes of a date format
TABOO = [
    *(",v", ".bak", ".cfsaved", ".disabled", ".dpkg-bak", ".dpkg-del", ".dpkg-dist", ".dpkg-new", ".dpkg-old"),
    *(".dpkg-tmp", ".rhn-cfg-tmp-*", ".rpmnew", ".rpmorig", ".rpmsave", ".swp", ".ucf-dist", ".ucf-new", ".ucf-old"),
    "~",
]
SCRIPTS = ("firstaction", "prerotate", "postrotate", "lastaction", "preremove")
# Directives without a value: which setting each changes, and to what.
SWITCHES = {
    **{name: (name, True) for name in ("dateyesterday", "datehourago", "ignoreduplicates", "mailfirst")},
    **{
        prefix + name: (name, not prefix)
        for name in (
            *("compress", "delaycompress", "shred", "allowhardlink", "sharedscripts", "copytruncate", "renamecopy"),
            *("copy", "dateext", "missingok", "create", "createolddir"),
        )
        for prefix in ("", "no")
    },
    "maillast": ("mailfirst", False),
    "ifempty": ("ifempty", True),
    "notifempty": ("ifempty", False),
    "errors": ("errors", True),
}
PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")
NUMBERS = {"rotate": -1, "start": 0, "minage": 0, "maxage": 0, "shredcycles": 0}  # with the lowest accepted value
TEXTS = ("extension", "addextension", "compressext", "compresscmd", "uncompresscmd", "olddir", "mail")
NOTHING = {"noolddir": "olddir", "nomail": "mail"}
EXTENSIONS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "compress": ".Z", "zip": "zip"}
PLAIN_PATH = re.compile(r"/[\w/ .,:@+=~#-]*", re.ASCII)


@dataclass
class Settings:
    """The effect of the directives read so far; ``unclear`` names those that are not understood."""

    on: set[str] = field(default_factory=lambda: {"ifempty"})
    numbers: dict[str, int] = field(default_factory=lambda: {"rotate": 0, "start": 1})
    texts: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    period: str = "size"
    mode: str = ""
    owner: tuple[str, ...] = ()
    unclear: list[str] = field(default_factory=list)

    @property
    def packed(self) -> str:
        """The extension that compressing adds to a name; "" if nothing is compressed."""
        return self.texts.get("compressext", ".gz") if "compress" in self.on else ""

    def inherited(self) -> Settings:
        """A copy for a block, without ``addextension``, which logrotate does not pass on to blocks."""
        new = copy.deepcopy(self)
        new.texts.pop("addextension", None)
        return new


@dataclass
class Block:
    """The logs that share directives, each with the pattern that names it; ``where`` is the file and the line."""

    where: str
    settings: Settings
    patterns: tuple[str, ...]
    logs: dict[str, str] = field(default_factory=dict)
    closed: bool = False


@dataclass
class Reading:
    """Every block in order, what logrotate calls an error by file, and logs that it leaves out with the reason."""

    blocks: list[Block] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


def read(config: str, main: str) -> Reading:
    """What the nightly rotation reads: ``main`` where that includes ``config``, else ``config`` alone."""
    for path in (main, config):
        reader = _Reader()
        if os.path.exists(path):
            reader.path(path, "/", Settings())
        if os.path.realpath(config) in reader.reading.files:
            return reader.reading
    raise RunbookError(
        f"{config} is not a configuration that logrotate would read; expected a file of root with mode 0644"
    )


class _UnusableError(Exception):
    """logrotate skips the rest of a file, or, with ``at`` of a block, everything from there on."""

    def __init__(self, problem: str, at: int | None = None) -> None:
        super().__init__(problem)
        self.at = at


class _Reader:
    def __init__(self) -> None:
        self.reading = Reading()
        self.taboo = ["*" + extension for extension in TABOO]
        self.depth = self.files = 0

    def path(self, path: str, folder: str, settings: Settings) -> bool:
        """Read a file, or the files of a directory sorted by name; returns whether logrotate finds no error."""
        path = os.path.join(folder, path)
        if not os.path.isdir(path):
            return os.path.exists(path) and self.file(path, folder, settings)
        try:
            names = sorted(name for name in os.listdir(path) if not any(_matches(name, taboo) for taboo in self.taboo))
        except OSError as error:
            raise RunbookError(f"{path} cannot be read: {error.strerror}") from error
        good = [self.file(os.path.join(path, name), path, settings) for name in names]
        return all(good)

    def file(self, path: str, folder: str, settings: Settings) -> bool:
        self.files += 1
        if self.files > MOST_FILES:
            raise RunbookError(f"{path} is file {self.files} that the configuration includes; look at its includes")
        text = _contents(path)
        if text is None:
            return True
        self.reading.files.add(os.path.realpath(path))
        before = copy.deepcopy(settings)
        good = _File(self, path, folder, text, settings).read()
        if not good:
            vars(settings).update(vars(before))
        return good

    def error(self, path: str, problem: str) -> None:
        self.reading.errors.append((os.path.realpath(path), problem))


def _contents(path: str) -> str | None:
    """The text of a file that logrotate would read, None for one that it ignores."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RunbookError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        foreign = os.getuid() == 0 and (status.st_uid != 0 or status.st_mode & 0o022)
        if foreign or not stat.S_ISREG(status.st_mode):
            return None
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise RunbookError(f"{path} is larger than {LARGEST} bytes, which no configuration of logrotate is")
    return raw.decode("utf-8", "surrogateescape")


class _File:
    """One file, read from left to right by the characters, as logrotate does."""

    def __init__(self, reader: _Reader, path: str, folder: str, text: str, common: Settings) -> None:
        self.reader, self.path, self.folder, self.text, self.common = reader, path, folder, text, common
        self.at, self.block, self.good = 0, None, True
        self.directives = (
            (SCRIPTS, self.script),
            (NUMBERS, self.number),
            (TEXTS, self.text_value),
            (("size", "minsize", "maxsize"), self.size),
            (("include",), self.include),
            (("tabooext", "taboopat"), self.set_taboo),
            (("compressoptions",), self.compress_options),
            (("dateformat",), self.date_format),
            (("create", "createolddir", "su"), self.owner),
            (("weekly",), self.weekly),
            (PERIODS, self.period),
            (NOTHING, self.nothing),
            (SWITCHES, self.switch),
        )

    @property
    def where(self) -> str:
        return self.place(self.at)

    def place(self, at: int) -> str:
        """The file and the line of a place in its text."""
        return f"{self.path}:{self.text.count(chr(10), 0, at) + 1}"

    @property
    def settings(self) -> Settings:
        return self.block.settings if self.block else self.common

    def read(self) -> bool:
        while self.at < len(self.text):
            start = self.at
            try:
                self.statement()
            except _UnusableError as error:
                self.complain(f"{self.place(start)}: {error}")
                if self.block:
                    self.reader.reading.blocks.remove(self.block)
                if not self.block or error.at is None:
                    return False
                self.skip_block(error.at)
        return self.good

    def complain(self, problem: str) -> None:
        self.good = False
        self.reader.error(self.path, problem)

    def statement(self) -> None:
        char = self.text[self.at]
        if char in BLANK + "\n":
            self.at += 1
        elif char == "#":
            self.skip_line()
        elif char.isascii() and char.isalpha():
            self.directive()
        elif char in "/\"'~":
            self.names()
        elif char == "}":
            self.end()
        else:
            raise _UnusableError("a line begins with neither a directive nor a file name", self.at + 2)

    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip_line(self) -> None:
        self.at = (self.text.find("\n", self.at) + 1) or len(self.text)

    def word(self) -> str:
        found = re.compile(r"[ \t]*([A-Za-z]*)").match(self.text, self.at)
        self.at = found.end()
        return found[1]

    def line(self) -> str:
        """The rest of the line. A comment does not end it."""
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        rest, self.at = self.text[self.at : end].rstrip(SPACE), end
        return rest

    def value(self, name: str) -> str:
        start = self.at
        self.at = re.compile(r"[ \t]*(?:=[ \t]*)?").match(self.text, self.at).end()
        if self.char() == "\n":
            raise _UnusableError(f"{name} has no value", start + 2)
        return self.line()

    def directive(self) -> None:
        name = self.word()
        if not self.char() or self.char() not in SPACE + "=":
            raise _UnusableError(f"{name} is followed by {self.char() or 'the end of the file'!r}", self.at + 2)
        handle = next((handle for names, handle in self.directives if name in names), self.unknown)
        handle(name)

    def unknown(self, name: str) -> None:
        self.settings.unclear.append(f"{self.where}: {name}")
        self.skip_line()

    def text_value(self, name: str) -> None:
        self.settings.texts[name] = self.value(name)
        if name == "compresscmd":
            extension = EXTENSIONS.get(os.path.basename(self.settings.texts[name]))
            self.settings.texts.update({"compressext": extension} if extension else {})

    def compress_options(self, name: str) -> None:
        self.settings.texts[name] = self.line().strip()

    def date_format(self, name: str) -> None:
        start = self.at
        try:
            self.settings.texts[name] = self.value(name)
        except _UnusableError:  # logrotate sees no error here, and uses the default then
            self.settings.texts.pop(name, None)
            self.at = start + 1

    def period(self, name: str) -> None:
        self.settings.period = name
        self.at += 1

    def switch(self, name: str) -> None:
        what, on = SWITCHES[name]
        (self.settings.on.add if on else self.settings.on.discard)(what)
        if name in ("copytruncate", "renamecopy"):
            self.settings.on.discard("renamecopy" if name == "copytruncate" else "copytruncate")
        self.at += 1

    def nothing(self, name: str) -> None:
        self.settings.texts.pop(NOTHING[name], None)
        self.at += 1

    def number(self, name: str) -> None:
        number = _number(self.value(name), unsigned=name != "rotate")
        if number is None or number < NUMBERS[name]:
            raise _UnusableError(f"{name} has a bad number", self.at + 1)
        self.settings.numbers[name] = number

    def size(self, name: str) -> None:
        start = self.at
        try:
            text = self.value(name)
        except _UnusableError:  # logrotate ignores it
            self.at = start + 1
            return
        if _number(re.sub(r"[kKMG]$", "", text), unsigned=True) is None:
            raise _UnusableError(f"{name} has a bad size", self.at + 1)
        if name == "size":
            self.settings.period = "size"

    def weekly(self, _name: str) -> None:
        self.settings.period = "weekly"
        text = self.line()
        if text and not re.fullmatch(r"[ \t\v\f\r]*\+?0*[0-7]", text):
            raise _UnusableError("weekly has a bad day")

    def owner(self, name: str) -> None:
        """Parse ``create``, ``createolddir`` and ``su``: a mode if one is allowed, a user and a group."""
        words = self.line().split()
        mode = words[0] if name != "su" and words and re.fullmatch("[0-7]+", words[0]) else ""
        named = words[1:] if mode else words
        if (mode and len(mode) > 5) or len(named) > 2 or (name == "su" and len(named) != 2):
            raise _UnusableError(f"{name} has bad arguments", self.at + 1)
        for word, known in zip(named, (_user, _group)):
            if not known(word):
                raise _UnusableError(f"{name} names {word}, which does not exist on this host", self.at + 1)
        if name == "create":
            self.settings.mode = mode or self.settings.mode
            self.settings.owner = (*named, *self.settings.owner[len(named) :])
        self.settings.on.add(name)

    def script(self, name: str) -> None:
        start = self.at
        self.at += 1
        while self.at < len(self.text):
            begin = self.text.rfind("\n", 0, self.at) + 1
            if self.word() == "endscript":
                if begin <= start:
                    raise _UnusableError(f"{name} ends in the line it begins in")
                self.at += 1
                self.settings.scripts[name] = self.text[start:begin]
                return
            self.skip_line()
        raise _UnusableError(f"{name} has no endscript")

    def include(self, _name: str) -> None:
        path = self.value("include")
        if path.startswith("~/"):
            path = os.path.expanduser(path)
        self.reader.depth += 1
        good = self.reader.depth <= DEEPEST and self.reader.path(path, self.folder, self.settings)
        self.reader.depth -= 1
        if not good:
            self.complain(f"{self.where}: include {path} has an error or is not there")
            if self.block:
                self.settings.unclear.append(f"{self.where}: include")

    def set_taboo(self, name: str) -> None:
        start = self.at
        if self.block:
            raise _UnusableError(f"{name} stands in a block", self.at + 2)
        try:
            text = self.value(name)
        except _UnusableError:
            self.at = start + 1
            return
        prefix = "*" if name == "tabooext" else ""
        self.reader.taboo = self.reader.taboo if text.startswith("+") else []
        self.reader.taboo += [prefix + word for word in re.split(rf"[{SPACE},]+", text.lstrip("+")) if word]

    def names(self) -> None:
        if self.block:
            raise _UnusableError("a block is not ended before the next one begins", self.at + 2)
        start, text, comment, fresh = self.where, "", False, True
        while self.at < len(self.text):
            char = self.char()
            if fresh and char == "#":
                comment = True
            fresh = char == "\n" or (fresh and char in SPACE)
            comment = comment and char != "\n"
            if not comment and char in "{}":
                break
            text += "" if comment else char
            self.at += 1
        if self.char() != "{":
            raise _UnusableError("{ is missing after file names")
        self.at += 1
        patterns = _words(text)
        if not patterns:
            raise _UnusableError("a block has no file names")
        self.block = Block(start, self.common.inherited(), patterns)
        self.reader.reading.blocks.append(self.block)
        for pattern in patterns:
            self.find(pattern)

    def find(self, pattern: str) -> None:
        """Find the logs of a pattern; logrotate ignores the rest of a pattern if another block names one of them."""
        reading = self.reader.reading
        paths = _glob(pattern)
        for number, path in enumerate(paths):
            others = [block for block in reading.blocks if path in block.logs]
            if any("ignoreduplicates" in block.settings.on for block in others):
                continue
            if others:
                problem = f"{self.block.where} names {path}, as does {others[0].where}"
                self.complain(problem)
                reading.left_out.update((left, problem) for left in paths[number:])
                return
            self.block.logs[path] = pattern

    def end(self) -> None:
        if not self.block:
            raise _UnusableError("} without {")
        self.block.closed, self.block = True, None
        self.at += 1
        self.skip_line()

    def skip_block(self, at: int) -> None:
        """Skip the rest of a block with an error in it, up to a } at the beginning of a line."""
        self.at = at
        while self.at < len(self.text) and self.char() != "}":
            if self.word() in SCRIPTS:
                self.at += 1
                while self.at < len(self.text) and self.word() != "endscript":
                    self.skip_line()
                self.at += 1
            elif self.char() == "\n":
                self.at += 1
            else:
                self.at += 1
                self.skip_line()
        self.at, self.block = self.at + 1, None


def _number(text: str, unsigned: bool) -> int | None:
    """A number as strtol or strtoul reads it and an int keeps it: 010 is 8, 4294967296 is 0; None for anything else."""
    found = re.fullmatch(r"[ \t\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", text)
    if not found:
        return None if text else 0
    digits = found[2]
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    number = int(digits, base) * (-1 if found[1] == "-" else 1)
    most = (1 << 64) - 1 if unsigned else (1 << 63) - 1
    number = most if number > most else max(number, -(1 << 63))
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def _user(name: str) -> bool:
    try:
        pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, ValueError, OverflowError):
        return False
    return True


def _group(name: str) -> bool:
    try:
        grp.getgrgid(int(name)) if name.isdecimal() else grp.getgrnam(name)
    except (KeyError, ValueError, OverflowError):
        return False
    return True


def _words(text: str) -> tuple[str, ...]:
    """File names, split as popt does: at blanks, with quotes and backslashes."""
    words, word, quote, escaped = [], "", "", False
    for char in text:
        if escaped:
            word += ("\\" if quote and char != quote else "") + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif quote:
            word, quote = (word, "") if char == quote else (word + char, quote)
        elif char in SPACE:
            words, word = [*words, word], ""
        elif char in "\"'":
            quote = char
        else:
            word += char
    return tuple(word for word in [*words, word] if word)


def _glob(pattern: str) -> list[str]:
    """The paths of a pattern as logrotate finds them, sorted, without directories; itself if nothing matches."""
    if pattern.startswith("~"):
        pattern = os.path.expanduser(pattern)
    paths = sorted(glob.glob(_python_pattern(pattern)), key=os.fsencode) or [pattern]
    return [path for path in paths if os.path.islink(path) or not os.path.isdir(path)]


def _python_pattern(pattern: str) -> str:
    """A pattern of the C library in Python's syntax. Classes like [[:digit:]] then match too much, never too little."""
    pattern = re.sub(r"\[\[[:=.][^]]*[]][^]]*\]", "?", pattern).replace("[^", "[!")
    return re.sub(r"\\(.)", lambda escaped: f"[{escaped[1]}]" if escaped[1] in "*?[" else escaped[1], pattern)


def _matches(name: str, pattern: str) -> bool:
    """Whether a pattern matches a file's name, whose leading dot only a dot matches."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, _python_pattern(pattern))


# What a block does to its logs.


def rotated_name(settings: Settings, log: str, now: float) -> str:
    """The name a log gets when it is rotated, before it is compressed."""
    base, extension = log, ""
    if "addextension" in settings.texts:
        extension = settings.texts["addextension"]
        base = base[: len(base) - len(extension)] if base.endswith(extension) else base
    if settings.texts.get("extension") and base.endswith(settings.texts["extension"]):
        extension = settings.texts["extension"]
        base = base[: -len(extension)]
    if "dateext" not in settings.on:
        return f"{base}.{settings.numbers['start']}{extension}"
    return f"{base}{_date(settings, now)}{extension}"


def _date(settings: Settings, now: float) -> str:
    when = list(time.localtime(now))[:6]
    if "dateyesterday" in settings.on:
        when[2:4] = [when[2] - 1, 12]
    if "datehourago" in settings.on:
        when[3] -= 1
    usual = "-%Y%m%d%H" if settings.period == "hourly" else "-%Y%m%d"
    form = re.sub(r"%(?![YmdHMSVs])", "%%", settings.texts.get("dateformat", usual).lstrip(" "))
    return time.strftime(form, time.localtime(time.mktime((*when, 0, 0, -1))))


def objection(settings: Settings) -> str:
    """Why a block could lose lines, also of a writer that has not reopened yet, or is not understood; "" if neither."""
    on, texts = settings.on, settings.texts
    if settings.unclear:
        return f"{settings.unclear[0]} is not understood, so its effect on the logs is not known"
    if settings.numbers["rotate"] == 0:
        return "without rotate logrotate removes a log instead of keeping it; add rotate with a number above 0"
    for name in ("olddir", "mail"):
        if name in texts:
            return f"{name} leads the logs elsewhere; keep rotated logs beside the live ones"
    if "shred" in on:
        return "shred overwrites what a writer may still have open; leave it out"
    for name in ("copytruncate", "copy", "renamecopy"):
        if name in on:
            return f"{name} loses the lines written while it copies; use create"
    if "compress" in on and "delaycompress" not in on:
        return "compress without delaycompress loses the last lines of a writer; add delaycompress"
    wide = re.sub("%[mdHMSV]", "0123456789", texts.get("dateformat", "").replace("%Y", "%m%m"))
    if "dateext" in on and len(wide.replace("%s", "0" * 50)) >= LONGEST_DATE:
        return "dateformat is too long for logrotate"
    return ""


@dataclass(frozen=True)
class Rotation:
    """``config`` rotates these logs as the nightly rotation does; ``unnamed`` are the logs that no block names."""

    config: str
    unnamed: frozenset[str]


def rotation(reading: Reading, config: str, directory: str, logs: Mapping[str, Key], now: float) -> Rotation:
    """How the logs of a directory, by name, are rotated. Raises RunbookError if that could lose lines."""
    for path, problem in reading.errors:
        if path == os.path.realpath(config):
            raise RunbookError(f"logrotate finds an error: {problem}")
    chosen: list[tuple[Block, list[str]]] = []
    named: dict[str, Block] = {}
    names = {key: name for name, key in logs.items()}
    for block in reading.blocks:
        mine = sorted(filter(None, (names.get(_key(path)) for path in block.logs)))
        for name in mine:
            if name in named:
                raise RunbookError(f"{block.where} names {directory}/{name}, as does {named[name].where}")
            named[name] = block
        if mine:
            _check(block, directory, mine, now)
            chosen.append((block, mine))
    for path, problem in reading.left_out.items():
        if _key(path) in names:
            raise RunbookError(
                f"{problem}: logrotate leaves {path} out of the second block and ends with 1; name each log once"
            )
    unnamed = frozenset(logs) - frozenset(named)
    if unnamed and not named:
        errors = "".join(f"; {problem}" for _path, problem in reading.errors)
        raise RunbookError(f"{config}: no block names {directory}/{min(unnamed)}{errors}")
    text = "".join(render(block, [os.path.join(directory, name) for name in mine]) for block, mine in chosen)
    return Rotation(text, unnamed)


def _key(path: str) -> Key | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _check(block: Block, directory: str, logs: Collection[str], now: float) -> None:
    """Raise RunbookError for a block that must not be run, or whose rotated names would not be recognised again."""
    settings = block.settings
    danger = "" if block.closed else "the block is not ended by }"
    danger = danger or objection(settings)
    if danger:
        raise RunbookError(f"{block.where}: {danger}")
    for log in logs:
        name = rotated_name(settings, log, now)
        older = rotated_name(settings, log, now - 86400) if "dateext" in settings.on else name
        for made in (name, older + settings.packed):
            if _log_names.log_of(made, {log}) != log:
                raise RunbookError(
                    f"{block.where}: {log} would become {made!a}, which is not the name of a rotated log"
                )
            if any(_matches(made, os.path.basename(pattern)) for pattern in block.patterns):
                raise RunbookError(
                    f"{block.where}: {log} would become {made}, which the block names too and would rotate again"
                )
        for made in {name, name + settings.packed} if "dateext" in settings.on else ():
            if os.path.lexists(os.path.join(directory, made)):
                raise RunbookError(
                    f"{block.where}: {made} exists already, and with dateext logrotate uses a name only once; "
                    f"{log} can be rotated when the date in the name has changed"
                )


def render(block: Block, paths: Collection[str]) -> str:
    """A configuration that does to these logs what the block does, run as the service's user.

    ``su`` is left out because this user runs it, and so is everything that ``--force`` ignores.
    """
    for path in paths:
        if not PLAIN_PATH.fullmatch(path):
            raise RunbookError(f"{path!a} is a name that a configuration cannot hold; rename it")
    settings = block.settings
    lines = [" ".join(f'"{path}"' if " " in path else path for path in paths) + " {"]
    lines += [f"{name} {number}" for name, number in settings.numbers.items() if name != "minage"]
    lines += ["hourly"] if settings.period == "hourly" else []
    lines += [name for name in SWITCHES if SWITCHES[name] == (name, True) and name in settings.on & RENDERED]
    lines += [] if "ifempty" in settings.on else ["notifempty"]
    lines += [f"{name} {settings.texts[name]}" for name in RENDERED_TEXTS if name in settings.texts]
    lines += [" ".join(["create", settings.mode, *settings.owner])] if "create" in settings.on else []
    scripts = "".join(f"{name}{text}endscript\n" for name, text in settings.scripts.items())
    return "\n".join(lines) + "\n" + scripts + "}\n"


RENDERED = {
    *("compress", "delaycompress", "allowhardlink", "sharedscripts", "dateext", "dateyesterday", "datehourago"),
    "missingok",
}
# In this order, since compresscmd sets compressext.
RENDERED_TEXTS = (
    *("compresscmd", "compressext", "compressoptions", "uncompresscmd", "extension", "addextension", "dateformat"),
)
