# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the role awx, which call private code. Documented in the YAML files beside this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.plugin_utils import _survey, _workflow


def survey(names: Sequence[str]) -> dict:
    try:
        return _survey.spec(names)
    except RunbookError as error:
        raise AnsibleFilterError(_redact.redact_text(str(error))) from None


def workflow_strays(workflows: Sequence[Mapping], found: Sequence[Mapping]) -> list[dict]:
    return _workflow.strays(workflows, found)


class FilterModule:
    def filters(self) -> dict:
        return {"survey": survey, "workflow_strays": workflow_strays}
