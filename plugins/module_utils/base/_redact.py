# SPDX-License-Identifier: GPL-3.0-or-later
"""Make text from hosts fit for output: no secrets, no control characters, limited length. Private to aurora.runbook.

A secret is recognised by the name before it, by its place (a header, a URL, an option of a command), or by its own
form. If it is unclear how far it reaches, too much is hidden rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"
# Words in a name that make its value a secret, and endings of the name that make it something else.
_WORDS = (
    r"(?:token(?!i[sz])|secret(?!ar)|passw|passphrase|pwd|pgpass|(?<![a-z])pass(?![a-z])|api[_-]?key|private[_-]?key"
    r"|access[_-]?key|account[_-]?key|signing[_-]?key|auth[_-]?key|credential|authorization|cookie|signature"
    r"|session[_-]?id|sessid|парол|токен|секрет(?!ар))"
)
_ENDINGS = r"(?:[_-](?:file|files|path|dir|type|length|count|ttl|policy|expiry|expires|expires_in|expires_at)|less)"
# A value that may contain spaces reaches to the end of its line: values of headers, and of settings on their own line.
_HEADER = re.compile(r"authorization|cookie|^x-", re.IGNORECASE)
_WITH_SPACES = re.compile(r"passw|passphrase|pwd|secret|private|credential|key", re.IGNORECASE)
_NAME = re.compile(rf"(?=[\w-]*{_WORDS})(?![\w-]*{_ENDINGS}(?![\w-]))[\w-]+", re.IGNORECASE)
_NAMED = re.compile(  # the comma is the one in ("Authorization", "…")
    rf"(?<![\w-])({_NAME.pattern}|api key)"
    r"(\\*[\"']?(?:\[[^\]\s]*)?\]?\s*(?:=>|:=|[:=])\s*|\\*[\"']\s*,\s*(?=b?\\*[\"']))",
    re.IGNORECASE,
)
_PAIR = re.compile(  # "name": "PASSWORD", "value":
    rf"\b(?:name|key)\\*[\"']?\s*[:=]\s*\\*[\"']?({_NAME.pattern})"
    r"\\*[\"']?\s*[,;]\s*\\*[\"']?value(\\*[\"']?\s*[:=]\s*)",
    re.IGNORECASE,
)
_LINE_START = re.compile(r"(?:.*\]: )?[\s\"'#-]*(?:(?:export|set|env)\s+)?", re.IGNORECASE)
_QUOTE = re.compile(r"[bru]{0,2}(\\*)([\"'`])", re.IGNORECASE)
_BEHIND_QUOTE = " ,;&}])>:\\\"'`|"
_BLOCK = re.compile(r"(?:![\w!]+\s+)?[|>]")
_ENTRY = re.compile(r"\s*(?:- +)?[\"']?[\w.-]+[\"']?\s*:(?:\s|$)")
_SCHEME = r"(?:(?:bearer|basic|token|digest|negotiate|api-?key|geniekey|key|jwt|oauth)\s+)?"
_PLAIN = r"(?:[^\s,;&}]|[,;&}](?![\s,;&}]|$|[\"']?[\w.-]+[\"']?\s*[=:]))*"
_WORD = re.compile(_SCHEME + _PLAIN, re.IGNORECASE)
_TWO_WORDS = re.compile(rf"(?:[A-Za-z][\w-]*\s+(?![\w.-]+=\S)\S+|{_PLAIN})(?:;\s*[\w.-]+=[^\s;]*)*")
_NOTHING = re.compile(r"(?:null|none|true|false|\*\*\*)(?![\w*])", re.IGNORECASE)
_COUNTED = re.compile(r"(?<!s)s\Z", re.IGNORECASE)  # a plural such as tokens, but not pass
_COUNT = re.compile(r"\d{1,7}(?![^\s,;:)\]}\"'|])")
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY[A-Z0-9 ]*-----")
_PEM_LINE = re.compile(r"[A-Za-z0-9+/]{40,}=*\s*$")
# Secrets that are recognised by their own form or place; the first group is kept.
_SHAPES = [
    re.compile(pattern)
    for pattern in (
        r"((?i:\b(?:hooks\.slack\.com/|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/|outlook\.office(?:365)?\.com/webhook/"
        r"|webhook\.office\.com/webhookb2/|events\.pagerduty\.com/integration/|chat\.googleapis\.com/v1/spaces/)))"
        r"[^\s\"'<>]+",
        r"((?i:\bapi\.telegram\.org/(?:file/)?bot))[^\s\"'<>/]+",
        r"((?i:\b(?:slack|tgram|discord|msteams|pagerduty|opsgenie|pover|ntfys?|gotifys?|mmosts?|mailtos?|rockets?|twilio"
        r"|workflows|splunk|victorops)://))[^\s\"'<>]+",
        r"(://)[^\s/?#\"'<>]*(?=@)",
        r"(://)(?=[^\s/:@]+:(?!\d+(?:[/?#\s]|$)))[^\s/:@]+:[^\s\"'<>@]*(?=@)",
        r"((?i:[?&](?:amp;)?(?:sig|sign|key|auth|code(?!=\d{1,3}\b)|sid|session|pass|pw|pin|otp|jwt|hmac|[\w.-]*"
        r"(?:token|secret|passw|api_?key|signature|credential)[\w.-]*)=))[^&\s\"'<>#]*",
        rf"(<(?:[\w.]+:)?(?i:{_NAME.pattern})(?:\s[^<>]*)?>)[^<]+",
        rf"((?<![\w-])(?i:--?(?=[^\W\d_]){_NAME.pattern})\s+)(?:\"[^\"]*\"?|'[^']*'?"
        r"|(?!-|(?:is|are|was|or|and|to|for|must|needs?|required|missing|option|given|instead)\b)\S+)",
        r"((?<![\w-])(?:-u|--user|--proxy-user)[ =]?[\"']?[\w.@-]+:)[^\s\"']+",
        r"(\bsshpass\s+-p\s*)(?:\"[^\"]*\"?|'[^']*'?|\S+)",
        r"(\b(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)\b[^|;&]*?\s-p)[^\s]+",
        r"(\bredis-cli\b[^|;&]*?\s-a\s*)\S+",
        r"((?i:\b(?:bearer|basic)\s+))(?=[\w.~+/-]*[\d._~+/=-])[\w.~+/-]{6,}=*",
        r"((?i:\b(?:password|passphrase|passwd)\s+(?:(?:is|was):?\s+)?"
        r"|\b(?:token|secret|api[ _-]?key)\s+(?:is|was):?\s+))"
        r"(?:\"[^\"]+\"|'[^']+'|(?=\S*\d)(?=\S*[A-Za-z])\S{6,})",
        r"(\b)(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        r"(\b)(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|xapp-|sk_live_|rk_live_|npm_|pypi-)[\w-]{10,}",
        r"(\b)AIza[\w-]{30,}",
        r"(\b)eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?",
        r"(?<![\w:])()\d{8,10}:[\w-]{35}(?![\w-])",
    )
]
# Control characters, and those that break a line or change its direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def redact(text: str, secrets: Iterable[str] = (), limit: int = 500) -> str:
    """One line for people, at most ``limit`` characters long, without secrets (known, or after a telling name)."""
    text = _without(text, secrets)
    return _cut(text, " ".join(_hide(text[: 4 * limit].split("\n"))), limit)


def redact_data(data: object, secrets: Iterable[str] = ()) -> object:
    """Redact every text inside lists and dicts, where a text may have several lines."""
    secrets = tuple(secrets)
    if isinstance(data, str):
        return redact_text(data, secrets)
    if isinstance(data, Mapping):
        label = next((data[key] for key in ("name", "key") if isinstance(data.get(key), str) and "value" in data), "")
        return {
            redact(str(key)) if isinstance(key, str) else key: _behind(
                label if key == "value" and secret_name(label) else key, redact_data(value, secrets)
            )
            for key, value in data.items()
        }
    if isinstance(data, (list, tuple)):
        if len(data) == 2 and isinstance(data[0], str) and _HEADER.search(data[0]) and secret_name(data[0]):
            return [data[0], _behind(data[0], redact_data(data[1], secrets))]
        if all(isinstance(one, str) and "\n" not in one for one in data):  # a secret may span several of them
            return redact_lines(data, secrets)
        return [redact_data(value, secrets) for value in data]
    return data


def secret_name(name: object) -> bool:
    """Whether the value of a name is a secret."""
    found = _NAMED.match(f"{name}=") if isinstance(name, str) else None
    return bool(found and found[1] == name)


def _behind(name: object, value: object) -> object:
    return _hidden(value) if secret_name(name) else value


def _hidden(value: object) -> object:
    if isinstance(value, dict):
        return {key: _hidden(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    return HIDDEN if value and isinstance(value, str) else value


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Redact a text of several lines."""
    return "\n".join(redact_lines(text.split("\n"), secrets))


def redact_lines(lines: Iterable[str], secrets: Iterable[str] = (), limit: int = 500) -> list[str]:
    secrets = tuple(secrets)
    known = [_without(line, secrets) for line in lines]
    return [_cut(line, shown, limit) for line, shown in zip(known, _hide([line[: 4 * limit] for line in known]))]


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text


def _cut(text: str, shown: str, limit: int) -> str:
    if len(text) > 4 * limit and len(shown) <= limit:  # its last word may be half of a secret
        return shown.rpartition(" ")[0] + "…"
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


def _hide(lines: list[str]) -> list[str]:
    """Lines without their secrets; a private key and the value of a YAML key may span several lines."""
    shown: list[str] = []
    last_end = max((index for index, line in enumerate(lines) if "-----END" in line), default=-1)
    in_key, block = False, None
    for index, raw in enumerate(lines):
        line = _CONTROL.sub(" ", raw)
        end = _PEM_END.search(line)
        if in_key:
            if end:
                line, in_key = HIDDEN + line[end.end() :], False
            elif index < last_end or " " not in line.rpartition("]: ")[2].strip():
                shown.append(HIDDEN)
                continue
            else:
                in_key = False
        elif end and not _PEM_BEGIN.search(line[: end.start()]):  # its beginning is not among these lines
            for earlier in range(len(shown) - 1, -1, -1):
                if earlier < len(shown) - 1 and not _PEM_LINE.search(shown[earlier]):
                    break
                shown[earlier] = HIDDEN
            line = HIDDEN + line[end.end() :]
        if block and (not line.strip() or (line[block[0] : block[0] + 1] == " " and not _ends(line, *block))):
            shown.append(HIDDEN if line.strip() else line)
            continue
        line, in_key = _without_keys(line)
        line, block = _hide_named(_PAIR, line)
        line, more = _hide_named(_NAMED, line)
        block = more or block
        for shape in _SHAPES:
            line = shape.sub(rf"\g<1>{HIDDEN}", line)
        shown.append(line)
    return shown


def _ends(line: str, column: int, text: bool) -> bool:
    """Whether a line with deeper indentation is an entry of its own, and not part of the value."""
    return not text and bool(_ENTRY.match(line[column:]))


def _without_keys(line: str) -> tuple[str, bool]:
    """A line without private keys, and whether one continues in the next line."""
    begin = _PEM_BEGIN.search(line)
    if not begin:
        return line, False
    end = _PEM_END.search(line, begin.end())
    if not end:
        return line[: begin.start()] + HIDDEN, True
    rest, goes_on = _without_keys(line[end.end() :]) if len(line) < 4000 else (HIDDEN, False)
    return line[: begin.start()] + HIDDEN + rest, goes_on


def _hide_named(pattern: re.Pattern, line: str) -> tuple[str, tuple[int, bool] | None]:
    """A line without the values of secret names, and the column of a name whose value continues in the next line.

    The column comes with a flag that all lines with deeper indentation are the value.
    """
    pieces, at, block = [], 0, None
    for found in pattern.finditer(line):
        if found.start() < at:
            continue
        start, end, goes_on = _value(line, found)
        if end > start:
            pieces += [line[at:start], HIDDEN]
            at = end
        if goes_on is not None:
            block = found.start(1), goes_on
    return "".join([*pieces, line[at:]]), block


def _value(line: str, found: re.Match) -> tuple[int, int, bool | None]:
    """Where the value of a name starts and ends, and whether it continues in deeper lines (None: it does not)."""
    name, start, header = found[1], found.end(), _HEADER.search(found[1])
    nothing, all_of_it = (start, start, None), (start, len(line), None)
    if not line[start:].strip():
        return start, start, False if line[:start].rstrip().endswith(":") else None
    if "," in found[2] and not header:  # two words in a list
        return nothing
    if quote := _QUOTE.match(line, start):
        end = _closing(line, quote.end(), quote[2], len(quote[1]))
        return (quote.end(), end, None) if end is not None else (quote.end(), len(line), True)
    if _BLOCK.match(line, start):
        return start, len(line), True
    if line[start] == "{":
        return nothing
    if line[start] == "[":
        end = line.find("]", start)
        return (start + 1, end, None) if end > 0 else (start + 1, len(line), True)
    if _COUNTED.search(name) and _COUNT.match(line, start):
        return nothing
    if (before := _wrapped(line, found)) and (end := _closing(line, start, *before)) is not None:
        return start, end, None
    if header and ":" in found[2]:
        return all_of_it
    if _NOTHING.match(line, start):
        return nothing
    if _WITH_SPACES.search(name) and _LINE_START.fullmatch(line, 0, found.start(1)):
        return all_of_it
    return start, (_TWO_WORDS if header else _WORD).match(line, start).end(), None


def _wrapped(line: str, found: re.Match) -> tuple[str, int] | None:
    """The quote that stands before a name and not after it, so that it encloses name and value together."""
    before = re.search(r"(\\*)([\"'`])$", line[max(0, found.start(1) - 8) : found.start(1)])
    return (before[2], len(before[1])) if before and not re.search("[\"']", found[2]) else None


def _closing(line: str, start: int, quote: str, escaped: int) -> int | None:
    """Where the quote is that closes one which stands behind that many backslashes, None if there is none."""
    for found in re.finditer(rf"(\\*){quote}", line):
        if found.start(1) < start - len(found[1]) or found.end() <= start or len(found[1]) > escaped:
            continue
        if line[found.end() : found.end() + 1] == quote:  # a doubled quote is part of the text
            start = found.end() + 1
        elif not line[found.end() :] or line[found.end()] in _BEHIND_QUOTE:
            return found.start()
    return None
