# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a host's Python decides which times are times: trades are blamed, or a lease has no end."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.aurora.runbook.plugins.module_utils.base import _stamps
from ansible_collections.aurora.runbook.plugins.module_utils.record import _lease
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import _accounts
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 11, 24, 18, 5, 7, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-11-24T18:05:07Z", 0),
        ("2026-11-24T18:05:07z", 0),
        ("2026-11-24t18:05:07z", 0),
        ("2026-11-24 18:05:07+00:00", 0),
        ("2026-11-24T18:05:07+0000", 0),
        ("2026-11-24T18:05:07+00", 0),
        ("2026-11-24T20:05:07+02", 0),
        ("2026-11-24T13:35:07-0430", 0),
        ("2026-11-24T18:05:07-00:00", 0),
        ("2026-11-24T18:05:07 +00:00", 0),
        ("2026-11-24T18:05:07+00:00:00", 0),
        ("20261124T180507Z", 0),
        ("2026-11-24T18:05:07.1Z", 100000),
        ("2026-11-24T18:05:07.12Z", 120000),
        ("2026-11-24T18:05:07,12Z", 120000),
        ("2026-11-24T18:05:07.123Z", 123000),
        ("2026-11-24T18:05:07.1234+00:00", 123400),
        ("2026-11-24T18:05:07.123456Z", 123456),
        ("2026-11-24T18:05:07.123456789Z", 123456),
        ("2026-11-24T18:05:07.123456789012345Z", 123456),
        ("2026-11-24T20:05:07.000000001+02:00", 0),
    ],
)
def test_a_time_is_read_alike_by_every_python(text, microseconds):
    wanted = AT + timedelta(microseconds=microseconds)
    assert _stamps.parse(text) == wanted
    assert _stamps.seconds(text) == wanted.timestamp()
    assert _accounts.time_of(text) == wanted.timestamp()


def test_a_time_may_lack_its_seconds_or_be_a_day():
    assert _stamps.parse("2026-11-24T18:05Z") == AT.replace(second=0)
    assert _stamps.parse("2026-11-24T18Z") == AT.replace(minute=0, second=0)
    assert _stamps.parse("2026-11-24") == datetime(2026, 11, 24)


def test_a_time_without_a_zone_is_local_on_a_host_and_utc_in_an_account():
    text = "2026-11-24T18:05:07.12"
    assert _stamps.seconds(text) == time.mktime((2026, 11, 24, 18, 5, 7, 0, 0, -1)) + 0.12
    assert _accounts.time_of(text) == AT.timestamp() + 0.12


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday",
        "2026-11-24T18:05:60Z",  # a leap second
        "2026-11-24T24:05:07Z",
        "2026-13-24T18:05:07Z",
        "2026-02-30T18:05:07Z",
        "2026-11-24T18:05:07+24:00",
        "2026-11-24T18:05:07+02:60",
        "2026-11-24T18:05:07.Z",
        "2026-11-24T18:05:07UTC",
        "2026-11-24T18:05:07Z\n",
        "٢٠٢٦-11-24T18:05:07Z",
        "2026-1124T18:05:07Z",
        "0000-11-24T18:05:07Z",
        "10000-11-24T18:05:07Z",
        "0001-01-01T00:00:00",
    ],
)
def test_what_is_no_time_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"\S"):
        _stamps.seconds(text)
    assert _accounts.time_of(text) is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_the_calendar_are_times_but_none_of_an_account(text):
    assert _stamps.seconds(text) < 0 or _stamps.seconds(text) > 4e9
    assert _accounts.time_of(text) is None


@given(st.text(max_size=40))
def test_no_text_raises_anything_else(text):
    try:
        _stamps.seconds(text)
    except ValueError:
        return
    assert text[:4].isdigit()


@given(st.datetimes(timezones=st.just(timezone.utc)), st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_what_python_writes_is_read_as_python_reads_it(moment, precision):
    text = moment.isoformat(timespec=precision)
    assert _stamps.parse(text) == datetime.fromisoformat(text)
    assert _stamps.seconds(text) == datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
def test_a_number_is_of_seconds_or_of_a_smaller_unit(unit):
    assert _stamps.seconds(AT.timestamp() * unit) == pytest.approx(AT.timestamp(), abs=1e-3)
    assert _stamps.seconds(int(AT.timestamp() * unit)) == pytest.approx(AT.timestamp(), abs=1e-3)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), None, [], {}])
def test_a_number_that_is_none_is_no_time(number):
    with pytest.raises((TypeError, ValueError)):
        _stamps.seconds(number)


@pytest.mark.parametrize("until", ["2026-11-24T18:05:07Z", "2026-11-24T18:05:07.5Z", "2026-11-24T18:05:07+0000"])
def test_the_end_of_a_lease_comes_at_the_same_time_under_every_python(until):
    end = _lease.End(60, until, "another boot", 0.0)
    assert not _lease.due(end, _stamps.Clock(AT.timestamp() - 10, "boot", 1.0))
    assert _lease.due(end, _stamps.Clock(AT.timestamp() + 10, "boot", 1.0))
