# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a service gets a limit nobody meant, or one is called raised that the kernel does not hold."""

from __future__ import annotations

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.act import _limits
from ansible_collections.aurora.runbook.plugins.module_utils.base import _systemd
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from hypothesis import given
from hypothesis import strategies as st

GIB = 1 << 30


def unit(**properties):
    return _systemd.Unit("x", {"ControlGroup": "/system.slice/x.service", **properties})


def test_what_is_asked_for_gets_systemds_names():
    asked = {"memory_max": "2048M", "memory_high": None, "cpu_quota": "150%"}
    assert _limits.wanted(asked, 4 * GIB, 2) == {"MemoryMax": "2G", "CPUQuota": "150%"}


@pytest.mark.parametrize(
    "asked",
    [
        {"memory_max": "15M"},
        {"memory_max": "5G"},
        {"memory_max": "infinity"},
        {"memory_max": "90%"},
        {"memory_max": "512"},
        {"memory_max": "1G\nExecStart=/tmp/x"},
        {"memory_high": "-1G"},
        {"memory_high": "٣G"},
        {"cpu_quota": "0%"},
        {"cpu_quota": "201%"},
        {"cpu_quota": "50"},
        {"cpu_quota": "50%\n"},
    ],
)
def test_what_is_no_limit_or_beyond_the_host_is_refused_by_its_option(asked):
    with pytest.raises(RunbookError, match=next(iter(asked))):
        _limits.wanted(asked, 4 * GIB, 2)


@pytest.mark.parametrize(
    ("name", "properties", "shown"),
    [
        ("MemoryMax", {"MemoryMax": "536870912"}, "512M"),
        ("MemoryMax", {"MemoryMax": "1073741824"}, "1G"),
        ("MemoryMax", {"MemoryMax": "500000000"}, "500000000"),
        ("MemoryMax", {"MemoryMax": "infinity"}, None),
        ("MemoryMax", {"MemoryMax": "18446744073709551615"}, None),
        ("CPUQuota", {"CPUQuotaPerSecUSec": "500ms"}, "50%"),
        ("CPUQuota", {"CPUQuotaPerSecUSec": "125ms"}, "12.5%"),
        ("CPUQuota", {"CPUQuotaPerSecUSec": "1.010000s"}, "101%"),
        ("CPUQuota", {"CPUQuotaPerSecUSec": "1min 4s"}, "6400%"),
        ("CPUQuota", {"CPUQuotaPerSecUSec": "infinity"}, None),
    ],
)
def test_what_systemd_shows_reads_as_people_write_it(name, properties, shown):
    assert _limits.present(unit(**properties), name) == shown


@given(st.integers(16, 1 << 20))
def test_a_size_reads_back_as_the_same_amount(mebibytes):
    text = _limits.wanted({"memory_max": f"{mebibytes}M"}, 1 << 50, 1)["MemoryMax"]
    assert _limits.present(unit(MemoryMax=str(mebibytes << 20)), "MemoryMax") == text
    assert _limits.amount(text) == mebibytes << 20


def test_a_drop_in_that_beats_ours_is_named():
    beaten = unit(MemoryMax="67108864", DropInPaths="/etc/zzzz.conf")
    assert "/etc/zzzz.conf" in _limits.objection(beaten, {"MemoryMax": "1G"})
    assert _limits.objection(unit(MemoryMax="infinity"), {"MemoryMax": "1G"}) == ""


@pytest.mark.parametrize(
    ("files", "holds"),
    [
        ({}, True),  # not running, or not readable
        ({"/system.slice/x.service/memory.max": "1073741824\n"}, True),
        ({"/system.slice/x.service/memory.max": "max\n"}, True),
        ({"/system.slice/x.service/memory.max": "536870912\n"}, False),
        ({"/memory/system.slice/x.service/memory.limit_in_bytes": "1073741824\n"}, True),
        ({"/memory/system.slice/x.service/memory.limit_in_bytes": "536870912\n"}, False),
        ({"/system.slice/x.service/cpu.max": "100000 100000\n"}, True),
        ({"/system.slice/x.service/cpu.max": "50000 100000\n"}, False),
        ({"/system.slice/x.service/cpu.max": "max 100000\n"}, True),
        (
            {
                "/cpu/system.slice/x.service/cpu.cfs_quota_us": "50000\n",
                "/cpu/system.slice/x.service/cpu.cfs_period_us": "100000\n",
            },
            False,
        ),
        (
            {
                "/cpu/system.slice/x.service/cpu.cfs_quota_us": "-1\n",
                "/cpu/system.slice/x.service/cpu.cfs_period_us": "100000\n",
            },
            True,
        ),
    ],
)
def test_the_kernel_has_the_last_word_on_both_kinds_of_cgroups(tmp_path, files, holds):
    for name, text in files.items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    raised = unit(MemoryMax="1073741824", CPUQuotaPerSecUSec="1s")
    said = _limits.objection(raised, {"MemoryMax": "1G", "CPUQuota": "100%"}, str(tmp_path))
    assert (said == "") == holds
