# SPDX-License-Identifier: GPL-3.0-or-later
"""If these break, the collection uses what a later ansible-core no longer has, and no test says so."""

from __future__ import annotations

import pytest
from own_warnings import CHECKOUT, own_warnings

BROKEN_LINES = """[DEPRECATION WARNING]: Use of the thing is deprecated in the collection aurora.
runbook. This feature will be removed in version 2.30.
"""
WITH_ITS_ORIGIN = """[DEPRECATION WARNING]: Conditionals that give no boolean are deprecated.
Origin: /usr/share/ansible_collections/aurora/runbook/roles/incident/tasks/main.yml:7:9

7   when: thing
          ^ column 9
"""
FROM_THE_CHECKOUT = f"[WARNING]: Found a duplicate key in {CHECKOUT}/roles/incident/tasks/main.yml\n"
OF_OTHERS = f"""[WARNING]: Platform linux on host aurora1 is using the discovered Python interpreter.
[WARNING]: Host 'a1' is using the discovered Python interpreter at '{CHECKOUT}/.dev/venv/bin/python3.13'.
[DEPRECATION WARNING]: community.general.yaml has been deprecated.
fatal: [a1]: FAILED! => {{"msg": "aurora.runbook.decision says so"}}
[WARNING]: Using a template for task args is unsafe in some situations.
Origin: /home/user/each.yml:12:13

11   - name: Run it
12     aurora.runbook.service_override: "{{ item }}"
             ^ column 13

ok: [a1] => {{"msg": "aurora.runbook.decision says so"}}
[WARNING]: Host 'a2' is slow.
[ERROR]: Task failed: aurora.runbook.decision says so.
[WARNING]: Host 'a3' is slow.

TASK [aurora.runbook.incident : Look] ***
"""


@pytest.mark.parametrize("warning", [BROKEN_LINES, WITH_ITS_ORIGIN, FROM_THE_CHECKOUT])
def test_a_warning_about_the_collection_is_found_among_others(warning: str) -> None:
    assert own_warnings(f"PLAY [x] ***\n{OF_OTHERS}{warning}{OF_OTHERS}") == [warning]


def test_what_only_names_hosts_tasks_or_other_collections_is_none() -> None:
    assert own_warnings(OF_OTHERS) == []
