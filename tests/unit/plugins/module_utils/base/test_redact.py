# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a secret or a terminal escape gets from a log into a report."""

from __future__ import annotations

import json
import re
import string
import time

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base._redact import redact, redact_data, redact_text
from hypothesis import given
from hypothesis import strategies as st

LEFT = "the rest is here"
HTTP = ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Auth-Token", "x-api-key"]
NAMES = [
    *("password", "DB_PASSWORD", "smtp_pass", "passphrase", "token", "auth-token", "accessToken", "client_secret"),
    *("api_key", "apiKey", "aws_secret_access_key", "private_key", "credential", "sessionid", "PGPASSWORD", "пароль"),
]
# Where a secret may stand; "X" is the secret, "N" a name that tells of one.
PLACES = [
    *("N=X", "N = X", "N: X", "N:X", "N := X", "N => X", "a=1 N=X", "level=info N=X a=1", "export N=X", "- N: X"),
    *('{"N": "X", "a": 1}', "{'N': 'X'}", '{"a": {"N":"X"}}', '"N": ["a", "X"]', "{N:X}", 'N["prod"] = "X"'),
    *("GET /sse?N=X&a=1", "GET /sse?a=1&N=X HTTP/1.1", "<N>X</N>", '{"name": "N", "value": "X"}', "N: !vault |\n  X"),
    *(
        "N: |\n  X\n  X\nb: 1",
        "a:\n  - N: >-\n      one\n\n      X\n  - b",
        "N:\n  X\nb: 1",
        '"N":\n  "X"',
        'N: "a\n  X"',
    ),
    *("tool --N X --a", "tool --N=X", "tool -N 'a X' b", 'tool --N "X"', "2026-11-29T16:00:00 h runner[7]: N: X"),
]
ALONE = [
    *("https://X@host/path", "https://user:X@host/", "https://:X@host", "redis://:X@h:6379/0 did not answer"),
    *(
        "postgres://u:a/X@host/db",
        "see https://a@X@host/ and go on",
        "curl -u bob:X https://host",
        "sshpass -p X ssh h",
    ),
    *(
        "mysql -u root -pX db",
        "https://hooks.slack.com/services/T0/B0/X",
        "api_url: https://hooks.slack.com/workflows/X/1",
    ),
    *("https://discord.com/api/webhooks/1/X", "https://discordapp.com/api/v10/webhooks/1/X"),
    *("https://api.telegram.org/botX/sendMessage", "slack://T/B/X", "tgram://X/1", "mailto://u:X@host"),
    *("https://h/p?sig=X", "https://h/p?a=1&sig=X&b=2", "https://h/p?X-Amz-Signature=X", "https://h/p?key=X#top"),
    "-----BEGIN RSA PRIVATE KEY-----\nX\nX\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nX",
    '{"key": "-----BEGIN PRIVATE KEY-----\\nX\\n-----END PRIVATE KEY-----\\n"}',
    "h runner[7]: -----BEGIN EC PRIVATE KEY-----\nh runner[7]: X\nh runner[7]: -----END EC PRIVATE KEY-----",
]
HEADERS = [
    *(
        "N: X",
        "N:X",
        "> N: X",
        "N: token X",
        "N: Any-Scheme X",
        "N: a=b; sid=X",
        'N: Digest username="u", response="X"',
    ),
    *("curl -H 'N: token X' https://h", 'curl -H "N: a=b; c=X" https://h', '{"N": "token X"}', "{'N': ['token X']}"),
    *("('N', 'token X')", "(b'N', b'X')", "b'GET / HTTP/1.1\\r\\nN: token X\\r\\nHost: h'", "N=X", "N=Custom X"),
]


def nested(text, depth):
    return text if depth == 0 else json.dumps({"body": nested(text, depth - 1)}, ensure_ascii=False)


secrets = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.~+%!$^*-]{2,30}[A-Za-z0-9][0-9][A-Za-z]", fullmatch=True)


@given(place=st.sampled_from(PLACES), name=st.sampled_from(NAMES), secret=secrets)
def test_no_secret_gets_out_of_a_place_behind_a_name(place, name, secret):
    text = re.sub("[NX]", lambda found: {"N": name, "X": secret}[found[0]], place)
    assert secret not in redact_text(text)
    assert secret not in redact(text)


@given(place=st.sampled_from(HEADERS), name=st.sampled_from(HTTP), secret=secrets, depth=st.integers(0, 1))
def test_no_secret_gets_out_of_a_header(place, name, secret, depth):
    text = re.sub("[NX]", lambda found: {"N": name, "X": secret}[found[0]], place)
    assert secret not in redact_text(nested(text, depth))


@given(place=st.sampled_from(ALONE), secret=secrets)
def test_no_secret_gets_out_of_a_place_of_its_own(place, secret):
    parts = place.split("X-Amz-Signature")
    text = "X-Amz-Signature".join(part.replace("X", secret) for part in parts)
    assert secret not in redact_text(text)
    assert secret not in redact(text)


@given(
    secret=st.text(
        string.printable.replace("\n", "").replace("\r", "").replace("\x0b", "").replace("\x0c", ""), min_size=8
    ),
    name=st.sampled_from(NAMES),
    depth=st.integers(0, 3),
)
def test_no_secret_gets_out_of_json_within_json(secret, name, depth):
    secret = f"q7{secret}q8"
    shown = redact(nested(json.dumps({name: secret, "left": LEFT}, ensure_ascii=False), depth), limit=5000)
    assert "q7" not in shown
    assert "q8" not in shown


@given(data=st.sampled_from(NAMES).flatmap(lambda name: st.just({name: "hunter2", "list": [{name: ["hunter2"]}]})))
def test_no_secret_gets_out_of_data(data):
    assert "hunter2" not in str(redact_data(data))
    assert "hunter2" not in str(redact_data({"name": next(iter(data)), "value": "hunter2"}))
    assert "hunter2" not in str(redact_data([["Authorization", "hunter2"], ("a", "token=hunter2")]))


@given(st.text(string.printable, max_size=300))
def test_what_is_hidden_once_stays_as_it_is(text):
    once = redact_text(text)
    assert redact_text(once) == once


@pytest.mark.parametrize("text", ["smtp_pass=00+00A", "smtp_pass=123456", "tokens=00+00A"])
def test_what_begins_like_a_count_is_a_secret_all_the_same(text):
    assert redact_text(text) == f"{text.partition('=')[0]}=***"


@pytest.mark.parametrize(
    "text",
    [
        "token bucket empty",
        "authorization failed for alice on aurora1",
        "secretary: Anna",
        "tokenizer: bert",
        "tokens left: 3",
        "prompt_tokens=150, done",
        '"token": null',
        "auth_token_file: /opt/aurora/secrets/auth_token",
        "--token-file /etc/x is not there",
        "the option --password is required",
        "password is required",
        "passwordless: yes",
        "basic authentication required",
        "the bearer of bad news",
        "https://aurora.example.com:8443/x?email=a@b.c",
        "https://api.exchange.com/status answered 503",
        "alerts@aurora.example.com",
        "ssh oncall@aurora1:/var/log",
        "journalctl -u nginx.service: failed",
        "mysql -h x -p 3306",
        "passed: 12, failed: 3",
        "GET /health?code=200",
        "aurora_approve=p_threshold",
        "[::1]:9000 refused",
        "KELLY_MULTIPLIER=0.5 DECISIONS_PER_MINUTE=10",
    ],
)
def test_ordinary_text_stays_useful(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://bob:hunter2@host/path", "https://***@host/path"),
        ('{"password": "hunter2", "code": 7}', '{"password": "***", "code": 7}'),
        ("curl -H 'Authorization: token hunter2' https://host", "curl -H 'Authorization: ***' https://host"),
        ("GET /sse?token=hunter2&x=1", "GET /sse?token=***&x=1"),
        ("login password=hunter2, user=bob", "login password=***, user=bob"),
        ("password: |\n  hunter2\nuser: bob", "password: ***\n***\nuser: bob"),
        ("credentials:\n  user: bob\n  password: hunter2", "credentials:\n  user: bob\n  password: ***"),
        ("GET https://hooks.slack.com/services/T/B/x failed", "GET https://hooks.slack.com/*** failed"),
    ],
)
def test_what_stands_beside_a_secret_is_shown(text, shown):
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        *(
            "token" * 400,
            "a-" * 1000 + "=",
            "token=" * 300,
            '"token":"' * 200,
            "://" * 600,
            "://a:b" * 300,
            "mysql " * 300,
        ),
        *("-----BEGIN PRIVATE KEY-----" * 70, "token: [" * 250, "?sig=" * 400, "eyJ" * 600, "a.b-" * 500 + "://"),
        *("token=,a" * 250, "<token " * 280, "password " * 220, "--token-" * 250, "'" * 2000, "token:\\'" * 200),
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(text):
    def seconds(lines):
        started = time.process_time()
        redact_text("\n".join([text] * lines))
        return time.process_time() - started

    assert min(seconds(20) for _ in range(2)) < 30 * max(seconds(2), 0.001)


@pytest.mark.parametrize(
    "text",
    [
        "X-Auth-Token: hunter2",
        '{"api_key": "hunter2", "a": 1}',
        "EXCHANGE_SECRET=hunter2",
        "Authorization: Bearer hunter2",
        "password = 'hunter2'",
        "GET /sse?token=hunter2&x=1",
        'password="my hunter2 pass"',
        "https://key:hunter2@exchange.example.com/",
        "signature=hunter2",
        "PGPASS=hunter2",
    ],
)
def test_what_stands_behind_the_name_of_a_secret_is_not_shown(text):
    assert "hunter2" not in redact(text)


def test_a_known_secret_is_not_shown_wherever_it_stands():
    assert redact_data({"a": ["see hunter2", {"b": "hunter2!"}]}, ["hunter2"]) == {"a": ["see ***", {"b": "***!"}]}


def test_ordinary_lines_stay_as_they_are():
    line = '2026-11-23 runner[7]: denied BTCUSDT why=SPREAD_GUARD_TRIP spread=1.75 "tokens left": 3'
    assert redact(line) == line


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x9b", "\u202e", "\r", "\n", "\u2028"])
def test_what_a_terminal_would_obey_is_taken_out(character):
    assert character not in redact(f"a{character}[31mb")


def test_a_long_line_is_cut():
    assert len(redact("a" * 100000)) <= 501


def test_a_hostile_line_takes_no_time():
    assert len(redact("token" * 100000)) <= 501
    assert len(redact("a-" * 100000 + "=")) <= 501
