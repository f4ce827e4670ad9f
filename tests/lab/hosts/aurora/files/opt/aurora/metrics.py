# SPDX-License-Identifier: GPL-3.0-or-later
"""Every metric of the small Aurora.

As in the real exporter, the page of each service carries them all. Those that it does not use are 0, or have no series
where they have labels.
"""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Summary

CLIENTS = Gauge("sse_clients_connected", "SSE clients connected")
ATTEMPTED = Counter("sse_events_attempted_total", "Events meant for a client")
SENT = Counter("sse_events_sent_total", "Events sent to a client")
DROPPED = Counter("sse_events_dropped_total", "Events that came too late, or a client was too slow for, or gone")
RECONNECTS = Counter("sse_reconnects_total", "Clients that came back")
CONSIDERED = Counter("policy_considered_total", "Decisions considered")
ALLOWED = Counter("policy_allowed_total", "Decisions that became a trade", ["symbol"])
DENIED = Counter("policy_denied_total", "Decisions denied", ["symbol", "why"])
EXEC_LATENCY = Histogram(
    "exec_latency_ms",
    "Round trip of an order",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000),
)
SLIPPAGE = Summary("tca_slippage_bps", "Fill against the mid price quoted")
FEES = Summary("tca_fees_bps", "Fees of a fill")
ADVERSE = Summary("tca_adverse_bps", "Mid price moving away between quote and fill")
ECE = Gauge("calibration_ece", "Expected calibration error of the model over the last trades")
BRIER = Gauge("calibration_brier", "Brier score of the model over the last trades")
LOGLOSS = Gauge("calibration_logloss", "Log loss of the model over the last trades")
BREAKER_STATE = Gauge("circuit_breaker_state", "0 CLOSED, 1 HALF_OPEN, 2 OPEN")
CVAR_BREACH = Counter("risk_cvar_breach_total", "Trades made while CVaR was beyond its limit", ["symbol"])
GOVERNANCE_DENIES = Counter("governance_denies_total", "Decisions not even considered", ["reason"])
ALPHA_REMAINING = Gauge("governance_alpha_remaining", "Significance left for judging models", ["test_id"])
