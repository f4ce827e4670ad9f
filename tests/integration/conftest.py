# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import helpers
import pytest

# Done by hand, so that the next test does not start from a revert that does not work.
AS_NEW = r"""
cd /etc/systemd/system
mine=$(ls -d aurora-*.service.d aurora-runbook-leases.* /etc/aurora-runbook /var/lib/aurora-runbook/leases/* \
    probe*.service 2>/dev/null || true)
if [ "$mine" ]; then
    systemctl stop 'probe*' 'aurora-runbook-leases.*'
    rm -rf probe* aurora-*.service.d aurora-runbook-leases.* timers.target.wants/aurora-runbook-leases.timer
    rm -rf /etc/aurora-runbook /run/aurora-runbook-leases.json
    systemctl daemon-reload
    systemctl reset-failed
    systemctl restart aurora-runner aurora-live-feed
fi
rm -rf /usr/local/lib/aurora-runbook /var/lib/aurora-runbook /tmp/ansible_aurora.runbook.*
cd /proc/sys/net/ipv4
echo 1 >tcp_slow_start_after_idle
echo 1 >tcp_autocorking
echo 0 >tcp_thin_linear_timeouts
echo 4294967295 >tcp_notsent_lowat
systemctl start aurora-runner aurora-live-feed nginx
"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes so long that only ./dev test --all runs it")
    config.addinivalue_line("markers", "no_host: touches no Aurora host, so that none has to be made as new after it")


def make_new() -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: helpers.shell(host, AS_NEW), helpers.HOSTS))


@pytest.fixture(scope="session", autouse=True)
def known_start() -> None:
    make_new()
    helpers.lab.mend(helpers.HOSTS)


@pytest.fixture(autouse=True)
def as_new(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test did or left half done, the next one finds hosts as the lab made them."""
    yield
    if request.node.get_closest_marker("no_host") is None:
        make_new()


@pytest.fixture
def broken() -> Iterator[Callable]:
    """Call it with a fault, and hosts if not all; the fault ends with the test."""
    yield helpers.lab.break_
    helpers.lab.mend(helpers.HOSTS)
