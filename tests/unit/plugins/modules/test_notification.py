# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, nobody is woken, or the URL that lets anybody write to a team's chat stands in a log.

The module runs as Ansible runs it, with all that ``-vvv`` shows, against real sockets of this machine.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import apprise
import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _notify
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.modules import notification

CHECKOUT = Path(__file__).resolve().parents[4]

SECRET = "s3cretT0ken"  # noqa: S105 it is what the tests look for
TEXT = {
    "title": "P0 L2 circuit_breaker: aurora1",
    "body": "was: state is 2\nnext: look",
    "key": "circuit_breaker-x-1-L2",
}
MESSAGE = _notify.message(TEXT["title"], TEXT["body"], TEXT["key"], [])


@pytest.fixture
def notify(tmp_path) -> Callable[..., tuple[list, str]]:
    """Call it with each set of options in one playbook; what each returned, and all that Ansible said."""

    def run(each: list[dict], *flags: str) -> tuple[list, str]:
        asked = [{**TEXT, "timeout_seconds": 2, **options} for options in each]
        told = {"dest": str(tmp_path / "told"), "content": "{{ told }}"}
        tasks = [call(place, options) for place, options in enumerate(asked)]
        tasks += [{"name": "Keep", "ansible.builtin.copy": told, "check_mode": False}]
        variables = {"asked": asked, "told": [f"{{{{ told_{place} }}}}" for place in range(len(asked))]}
        play = {"name": "Tell", "hosts": "localhost", "gather_facts": False, "tasks": tasks}
        (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        (tmp_path / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        argv = ["ansible-playbook", "-i", "localhost,", "-c", "local", "-vvv", "-e", f"@{tmp_path / 'variables.json'}"]
        # Its arguments are in what a module returns, as they always are before ansible-core 2.21.
        argv += ["-e", "ansible_pipelining=true", "-e", "ansible_inject_invocation=true"]
        done = subprocess.run([*argv, *flags, str(tmp_path / "play.yml")], capture_output=True, text=True, check=False)
        kept = (tmp_path / "told").read_text(encoding="utf-8")
        return json.loads(kept), f"{done.stdout}{done.stderr}{kept}"

    return run


def call(place: int, options: dict) -> dict:
    given = {name: f"{{{{ asked[{place}].{name} }}}}" for name in options}
    return {"name": "Tell", "aurora.runbook.notification": given, "register": f"told_{place}", "ignore_errors": True}


def test_every_contact_of_a_level_is_told_and_the_broken_ones_are_named(notify, receiver, closed, silent):
    phone = {"name": "phone", "url": receiver.url()}
    down = {"name": "down", "url": f"json://user:{SECRET}@localhost:{closed}/{SECRET}"}
    others = [
        {"name": "webhook", "url": receiver.url()},
        {"name": "hangs", "url": f"json://localhost:{silent}/{SECRET}"},
        {"name": "refuses", "url": receiver.url(403)},
        {"name": "nonsense", "url": f"nosuchservice://{SECRET}"},
        {"name": "no vault", "url": ""},
        {"name": "no vault, with options", "url": "?to=alerts@example.com"},
    ]
    asked = [{"channels": [down, *others], "fallback": [phone]}, {"channels": [down], "fallback": [phone]}]
    (some, fallen_back, nobody, nowhere), said = notify([*asked, {"channels": [down]}, {}])
    assert SECRET not in said
    assert [one["failed"] for one in (some, fallen_back, nobody, nowhere)] == [False] * 4
    assert (some["delivered"], some["sent"], some["changed"]) == (True, ["webhook"], True)
    problems = {one["channel"]: one["problem"] for one in some["unsent"]}
    assert "cannot be reached" in problems["down"]
    assert problems["hangs"]  # bounded by the socket's own limit or by ours, whichever comes first
    assert "HTTP 403" in problems["refuses"]
    assert "Apprise does not understand its URL" in problems["nonsense"]
    assert "no URL" in problems["no vault"]
    assert problems["no vault, with options"] == problems["no vault"]  # as in inventory/production.example
    assert [sentence["message"] for sentence in some["done"]] == ["notified", *["not_notified"] * 6]

    assert (fallen_back["delivered"], fallen_back["sent"]) == (True, ["phone"])
    assert [one["channel"] for one in fallen_back["unsent"]] == ["down"]
    assert len(receiver.received) == 3, "the fallback was told although somebody was, or nobody was"
    delivered = [(one["title"], one["message"]) for one in receiver.received]
    assert set(delivered) == {(TEXT["title"], f"{TEXT['body']}\n\n{TEXT['key']}")}

    assert (nobody["delivered"], nobody["sent"], nobody["changed"]) == (False, [], False)
    assert nobody["done"][-1]["message"] == "nobody_notified"
    assert (nowhere["delivered"], nowhere["done"][-1]["message"]) == (False, "no_channels")


def test_an_optional_contact_that_its_service_refused_is_not_told_and_the_fallback_is(notify, receiver):
    """Apprise 2.2 and later call it delivered, with optional=yes in the URL, whatever the service answers."""
    optional = {"name": "optional", "url": f"{receiver.url(500)}?optional=yes"}
    phone = {"name": "phone", "url": f"{receiver.url()}?optional=yes"}
    ((told,), _said) = notify([{"channels": [optional], "fallback": [phone]}])
    assert told["sent"] == ["phone"]
    assert [one["channel"] for one in told["unsent"]] == ["optional"]
    assert "HTTP 500" in told["unsent"][0]["problem"]
    assert [one["channel"] for one in told["took"]["channels"]] == ["optional", "phone"]
    assert told["took"]["loading"] > 0


def test_check_mode_tells_nobody_and_names_whom_it_would(notify, receiver):
    (result,), said = notify([{"channels": [{"name": "webhook", "url": receiver.url()}]}], "--check")
    assert (result["changed"], result["delivered"], result["sent"]) == (True, False, [])
    assert result["done"][0]["text"] == "would be notified: webhook"
    assert receiver.received == []
    assert SECRET not in said


MISPLACED = [
    [f"mailtos://user:{SECRET}@smtp.example.com?to={SECRET}"],
    f"slack://{SECRET}",
    [[f"slack://{SECRET}"]],
    [{"name": "x", "urll": f"slack://{SECRET}"}],
    [{"name": "x", "url": {"a": SECRET}}],
    {"name": "x", "url": f"slack://{SECRET}"},
]


def test_what_is_refused_says_so_and_does_not_show_a_misplaced_url(notify):
    results, said = notify(
        [*({"channels": channels} for channels in MISPLACED), {"timeout_seconds": 0}, {"key": "a b"}]
    )
    assert [result["failed"] for result in results] == [True] * 8
    for result, named in zip(results, [*["channels"] * 6, "timeout_seconds", "key"]):
        assert named in result["msg"]
    assert SECRET not in said


# Past Ansible, for what needs a service that behaves badly.


def tell(url: str, seconds: float = 5, library: object = apprise) -> tuple[list, list]:
    told = _notify.tell(library, [_notify.Channel("it", url)], MESSAGE, seconds)
    return told.sent, told.unsent


def test_the_time_of_a_channel_begins_when_apprise_has_loaded_its_services(monkeypatch, receiver):
    """On a busy controller and in a new container, loading alone takes longer than a channel may."""
    manager = apprise.manager_plugins.NotificationManager()
    manager.unload_modules()
    load = manager.load_modules

    def slowly(*arguments, **options):
        if manager.module_path not in manager._loaded:
            time.sleep(1.5)
        load(*arguments, **options)

    monkeypatch.setattr(manager, "load_modules", slowly)
    names = ["one", "two", "three"]
    told = _notify.tell(apprise, [_notify.Channel(name, receiver.url()) for name in names], MESSAGE, 1.2)
    assert (told.sent, told.unsent) == (names, [])
    assert told.loading >= 1.5
    assert [one["channel"] for one in told.seconds] == names
    assert all(0 <= one["seconds"] <= 1.2 for one in told.seconds)


@pytest.mark.parametrize(
    ("version", "old"),
    [("1.7.2", True), ("1.7", True), ("0.9.7", True), ("1.7.3", False), ("1.10.0", False), ("2.0.0rc1", False)],
)
def test_an_apprise_that_loses_messages_is_named(monkeypatch, version, old):
    monkeypatch.setattr(apprise, "__version__", version)
    assert _notify.too_old(apprise) == (version if old else "")
    shown = [one["values"] for one in notification.sentences(["it"], [], []) if one["message"] == "apprise_too_old"]
    assert shown == ([{"found": version, "needed": "1.7.3"}] if old else [])


def test_the_oldest_apprise_is_the_one_that_is_asked_for():
    for name in ("meta/ee-requirements.txt", "tests/requirements.txt"):
        assert f"apprise>={_notify.OLDEST}" in (CHECKOUT / name).read_text(encoding="utf-8").splitlines()


def test_a_library_that_names_the_url_in_its_exception_is_not_quoted(monkeypatch, capfd):
    def raise_it(*_arguments, **_options):
        raise RuntimeError(f"bad: json://{SECRET}")

    monkeypatch.setattr(apprise.Apprise, "notify", raise_it)
    sent, failed = tell(f"json://localhost/{SECRET}")
    assert (sent, len(failed)) == ([], 1)
    assert "RuntimeError" in failed[0]["problem"]
    assert SECRET not in str(failed)
    assert SECRET not in "".join(capfd.readouterr())


def test_a_service_that_never_ends_is_left_behind(monkeypatch, receiver):
    ended = []
    monkeypatch.setattr(apprise.Apprise, "notify", lambda *_arguments, **_options: ended.append(input()))
    with pytest.MonkeyPatch.context() as patched:
        release = socket.socketpair()
        patched.setattr("builtins.input", lambda: release[0].recv(1))
        sent, failed = tell(receiver.url(), seconds=0.2)
        release[1].close()
    assert sent == []
    assert "no answer within 0.2 s" in failed[0]["problem"]


def test_a_repeated_page_is_known_by_its_key(monkeypatch):
    asked = []

    def post(url, data=None, **_options):
        asked.append(json.loads(data))
        raise OSError

    monkeypatch.setattr("requests.post", post)
    monkeypatch.setattr("requests.request", lambda _method, url, **options: post(url, **options))
    tell(f"pagerduty://{'a' * 20}@{'b' * 32}")
    assert [one["dedup_key"] for one in asked] == [TEXT["key"]]
    tell(f"pagerduty://{'a' * 20}@{'b' * 32}?dedup=mine")
    assert asked[-1]["dedup_key"] == "mine"


def test_a_long_message_reaches_a_chat_whole_and_a_phone_cut(monkeypatch, receiver):
    modes = []
    monkeypatch.setattr(apprise.Apprise, "notify", lambda told, **_options: modes.append(told[0].overflow_mode))
    for url in (receiver.url(), f"twilio://AC{'a' * 32}:{'b' * 32}@12345678900/12345678901"):
        tell(url)
    assert modes == [apprise.OverflowMode.SPLIT, apprise.OverflowMode.TRUNCATE]


def test_a_message_is_made_sendable_rather_than_refused():
    text = _notify.message("a\nb\x1b" + "t" * 999, "x\x00y\u202e\ntoken=hunter2\n\udc80" + "z" * 99999, "k", [])
    assert len(text.title) <= 251
    assert "\n" not in text.title
    assert text.body.startswith("x y \ntoken=***\n?zzz")
    assert text.body.endswith("\n\nk")
    assert len(text.body) <= _notify.MAX_BODY + 3


def test_a_url_in_the_text_does_not_travel_with_it():
    url = f"slack://{SECRET}"
    text = _notify.message(f"see {url}", f"or {url}", "", [url])
    assert SECRET not in text.title + text.body


def test_a_channel_does_not_show_its_url():
    assert SECRET not in repr(_notify.channels("channels", [{"name": "x", "url": f"slack://{SECRET}"}]))
    with pytest.raises(RunbookError, match="fallback: entry 2"):
        _notify.channels("fallback", [{"name": "x", "url": ""}, {"name": " ", "url": ""}])
