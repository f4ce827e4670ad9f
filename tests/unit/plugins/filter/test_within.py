# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, a playbook with a wrong --limit says that all is well."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.filter import incident


def test_the_hosts_of_the_group_that_the_limit_leaves():
    assert incident.within(["b", "a", "c"], ["c", "b", "x"]) == ["b", "c"]


def test_no_host_is_an_error_unless_that_is_right():
    with pytest.raises(AnsibleFilterError, match="in --limit"):
        incident.within(["a"], ["x"])
    assert incident.within(["a"], ["x"], none=True) == []
