# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the lab's pages are not as the real ones, and what that leads to is never tried."""

from __future__ import annotations

import re

import metrics  # noqa: F401 fills the registry
import pytest
from prometheus_client import REGISTRY, generate_latest

FAMILIES = {
    "sse_clients_connected": "gauge",
    "sse_events_attempted_total": "counter",
    "sse_events_sent_total": "counter",
    "sse_events_dropped_total": "counter",
    "sse_reconnects_total": "counter",
    "policy_considered_total": "counter",
    "policy_allowed_total": "counter",
    "policy_denied_total": "counter",
    "exec_latency_ms": "histogram",
    "tca_slippage_bps": "summary",
    "tca_fees_bps": "summary",
    "tca_adverse_bps": "summary",
    "calibration_ece": "gauge",
    "calibration_brier": "gauge",
    "calibration_logloss": "gauge",
    "circuit_breaker_state": "gauge",
    "risk_cvar_breach_total": "counter",
    "governance_denies_total": "counter",
    "governance_alpha_remaining": "gauge",
}
LABELLED = {
    "policy_allowed_total",
    "policy_denied_total",
    "risk_cvar_breach_total",
    "governance_denies_total",
    "governance_alpha_remaining",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_page_declares_every_family_and_has_0_for_what_is_not_used(name: str) -> None:
    page = generate_latest(REGISTRY).decode().splitlines()
    assert f"# TYPE {name} {FAMILIES[name]}" in page
    series = [line.rpartition(" ") for line in page if line.startswith(name) and "_created" not in line]
    assert {value for _name, _space, value in series} == (set() if name in LABELLED else {"0.0"})
    buckets = sum(line.startswith(f"{name}_bucket") for line in page)
    assert buckets == (17 if FAMILIES[name] == "histogram" else 0)


def test_there_is_no_other_family() -> None:
    types = (line.split()[2] for line in generate_latest(REGISTRY).decode().splitlines() if line.startswith("# TYPE"))
    # The rest is what prometheus_client adds by itself.
    assert {name for name in types if not re.match(r"python_|process_|.*_created$", name)} == set(FAMILIES)
