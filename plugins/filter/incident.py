# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter for the playbooks' hosts. Documented in the YAML file beside this one."""

from __future__ import annotations

from collections.abc import Sequence

from ansible import context
from ansible.errors import AnsibleFilterError


def within(hosts: Sequence[str], limit: Sequence[str], none: bool = False) -> list[str]:
    left = [host for host in hosts if host in limit]
    if not left and not none and not context.CLIARGS.get("syntax"):  # a syntax check may be without an inventory
        raise AnsibleFilterError("no host of the group aurora (aurora_group) is in --limit; correct one of the two")
    return left


class FilterModule:
    def filters(self) -> dict:
        return {"within": within}
