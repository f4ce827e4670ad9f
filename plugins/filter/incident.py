# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the playbooks: thin, over private functions. Documented in the YAML files beside this one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ansible import context
from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils.aurora import _messages
from ansible_collections.aurora.runbook.plugins.plugin_utils import _pages


def within(hosts: Sequence[str], limit: Sequence[str], none: bool = False) -> list[str]:
    left = [host for host in hosts if host in limit]
    if not left and not none and not context.CLIARGS.get("syntax"):  # a syntax check may be without an inventory
        raise AnsibleFilterError("no host of the group aurora (aurora_group) is within --limit")
    return left


def pages(hostvars: Mapping, hosts: Sequence[str], language: str = "en") -> list[dict]:
    return _pages.due(_language(language, hostvars, hosts), _records(hostvars, hosts), time.time())


def missed_pages(hostvars: Mapping, hosts: Sequence[str]) -> list[dict]:
    return _pages.missed(_records(hostvars, hosts))


def overview(hostvars: Mapping, hosts: Sequence[str], language: str = "en") -> list[str]:
    sent = [page for name in sorted(hosts) for page in hostvars[name].get("incident_told") or []]
    return _pages.overview(_language(language, hostvars, hosts), _records(hostvars, hosts), sent)


def waiting(hostvars: Mapping, hosts: Sequence[str], incident: str, knobs: Sequence[str]) -> dict[str, list[str]]:
    return _pages.waiting(_records(hostvars, hosts), incident, knobs)


def _records(hostvars: Mapping, hosts: Sequence[str]) -> dict[str, Mapping]:
    return _pages.readable({name: hostvars[name].get("incident_open") or {} for name in sorted(hosts)})


def _language(language: str, hostvars: Mapping, hosts: Sequence[str]) -> str:
    """The language of a text, and whether AWX runs this: then a person launches templates and types no commands."""
    if language not in _messages.LANGUAGES:
        raise AnsibleFilterError(
            f"aurora_language={language!r} is refused; expected {' or '.join(_messages.LANGUAGES)}"
        )
    on_awx = any(name in hostvars[host] for host in hosts[:1] for name in ("awx_job_id", "tower_job_id"))
    return f"{language}{_messages.ON_AWX}" if on_awx else language


class FilterModule:
    def filters(self) -> dict:
        return {
            "within": within,
            "pages": pages,
            "missed_pages": missed_pages,
            "overview": overview,
            "waiting": waiting,
        }
