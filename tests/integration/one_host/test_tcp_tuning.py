# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP settings take effect in the kernel, are given back as they were, and survive a kill between two of them."""

from __future__ import annotations

import contextlib

import pytest
from helpers import (
    HOST,
    LEASES,
    configuration,
    end_claim,
    footprint,
    lab,
    lease,
    module,
    playbook,
    shell,
    start_module,
)

IPV4 = "/proc/sys/net/ipv4"
TUNED = {
    "net.ipv4.tcp_slow_start_after_idle": ("1", "0"),
    "net.ipv4.tcp_autocorking": ("1", "0"),
    "net.ipv4.tcp_thin_linear_timeouts": ("0", "1"),
    "net.ipv4.tcp_notsent_lowat": ("4294967295", "16384"),
}
NORMAL = {name: old for name, (old, _new) in TUNED.items()}
AFTER = {name: new for name, (_old, new) in TUNED.items()}
LOOK = {"sample_seconds": 0, "probe_seconds": 2}
PRESENT, ABSENT, SETTLED = ({"state": state} for state in ("present", "absent", "settled"))


def tune(arguments=PRESENT, *flags):
    return module(HOST, "tcp_tuning", arguments, *flags)


def network():
    """Every network setting of the host."""
    return shell(HOST, "grep -rs . /proc/sys/net/ipv4 /proc/sys/net/core | sort")


def values():
    return {name: shell(HOST, f"cat /proc/sys/{name.replace('.', '/')}").strip() for name in TUNED}


@contextlib.contextmanager
def read_only(path):
    shell(HOST, f"mount --bind {path} {path} && mount -o remount,bind,ro {path}")
    try:
        yield
    finally:
        shell(HOST, f"umount {path}")


def standing():
    return lease(HOST, "tcp_tuning")


def test_the_profile_takes_effect_and_goes_without_a_trace():
    before, untouched = (configuration(HOST), network()), footprint(HOST)
    expected = {
        "failed": False,
        "changed": True,
        "settings": [{"name": name, "before": old, "after": new} for name, (old, new) in TUNED.items()],
        "overridden": AFTER,
    }
    tried = tune(PRESENT, "--check")
    assert {name: tried[name] for name in expected} == expected
    assert tried["verdict"] == "would_change"
    assert (network(), footprint(HOST)) == (before[1], untouched)

    tuned = tune()
    assert {name: tuned[name] for name in expected} == expected
    assert tuned["left_out"] == tried["left_out"]
    assert [one["name"] for one in tuned["left_out"]] == ["net.ipv4.tcp_low_latency"]
    assert "no effect since Linux 4.14" in tuned["left_out"][0]["reason"]
    assert values() == AFTER
    assert configuration(HOST) == before[0]

    stands = footprint(HOST)
    assert not tune()["changed"]
    assert footprint(HOST) == stands

    seen = module(HOST, "triage_info", LOOK)
    assert [(one["kind"], one["phase"]) for one in seen["leases"]] == [("tcp_tuning", "active")]
    assert any("net.ipv4.tcp_notsent_lowat=16384" in line for line in seen["summary"])

    revert = playbook("revert")
    assert (revert.status, revert.verdicts[HOST]) == (0, "healthy")
    assert any("given back: net.ipv4.tcp_autocorking 0 → 1" in line for line in revert.report)
    assert (configuration(HOST), network()) == before
    assert standing() is None
    assert not tune(ABSENT)["changed"]


def test_what_somebody_set_is_kept_if_as_good_remembered_before_and_left_alone_after():
    lowat = "net.ipv4.tcp_notsent_lowat"
    shell(HOST, f"echo 8192 >{IPV4}/tcp_notsent_lowat")
    assert lowat not in tune()["overridden"]
    shell(HOST, f"echo 65536 >{IPV4}/tcp_notsent_lowat")
    assert tune()["settings"] == [{"name": lowat, "before": "65536", "after": "16384"}]
    shell(HOST, f"echo 32768 >{IPV4}/tcp_notsent_lowat")
    back = tune(ABSENT)
    assert "32768" in back["left_out"][0]["reason"]
    assert values() == {**NORMAL, lowat: "32768"}
    assert standing() is None


# The module waits for whoever reads or writes the last key. It reads what we say, and is killed before it writes.
KILL = f"""
timeout 60 sh -c 'echo 4294967295 >{IPV4}/tcp_notsent_lowat'
timeout 60 sh -c 'until grep -q 1 {IPV4}/tcp_thin_linear_timeouts; do sleep 0.1; done'
pkill -KILL -f AnsiballZ_tcp_tuning
umount --lazy {IPV4}/tcp_notsent_lowat
rm /run/slow
"""


def leave_half():
    """A run that was killed between two writes."""
    shell(HOST, f"mkfifo /run/slow && mount --bind /run/slow {IPV4}/tcp_notsent_lowat")
    process = start_module(HOST, "tcp_tuning", PRESENT)
    shell(HOST, KILL)
    process.communicate()
    end_claim(HOST)
    assert standing()["phase"] == "applying"  # it was on disk before the first write


@pytest.mark.parametrize(
    ("arguments", "left"),
    [(ABSENT, "before"), (PRESENT, "after"), (SETTLED, "after")],
    ids=["undone", "finished", "settled"],
)
def test_a_run_killed_between_two_writes_is(arguments, left):
    leave_half()
    assert tune(arguments)["changed"]
    assert values() == {"before": NORMAL, "after": AFTER}[left]
    assert (standing() or {}).get("phase") == {"before": None, "after": "active"}[left]
    assert not tune(SETTLED)["changed"]


def test_what_cannot_be_finished_can_still_be_given_back():
    leave_half()
    with read_only(f"{IPV4}/tcp_notsent_lowat"):
        result = tune(SETTLED)
        assert result["failed"]
        assert "what an earlier run left half done is still half done" in result["msg"]
    assert standing()["phase"] == "applying"
    assert tune(ABSENT)["changed"]
    assert (values(), standing()) == (NORMAL, None)


@pytest.mark.parametrize("arguments", [PRESENT, ABSENT], ids=["present", "absent"])
def test_a_restart_of_the_host_ends_the_lease(arguments):
    tune()
    another_boot = "00000000-0000-0000-0000-000000000000"
    lab.inside(HOST, "sed", "-i", f's/"boot": ".*"/"boot": "{another_boot}"/', f"{LEASES}/override-tcp_tuning.json")
    shell(HOST, f"echo 1 >{IPV4}/tcp_autocorking; echo 65536 >{IPV4}/tcp_notsent_lowat")
    assert module(HOST, "triage_info", LOOK)["leases"] == []
    before = values()
    assert tune(arguments)["changed"]
    if arguments == ABSENT:
        assert (values(), standing()) == (before, None)
    else:
        assert standing()["before"] == {"net.ipv4.tcp_autocorking": "1", "net.ipv4.tcp_notsent_lowat": "65536"}


def test_a_key_that_the_kernel_refuses_puts_back_the_others():
    before = network()
    with read_only(f"{IPV4}/tcp_notsent_lowat"):
        result = tune()
        assert result["failed"]
        assert "net.ipv4.tcp_notsent_lowat=16384 cannot be set" in result["msg"]
        assert network() == before
        assert standing() is None
