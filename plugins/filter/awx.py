# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter for the role awx: thin, over the private _survey.py. Documented in the YAML file beside this one."""

from __future__ import annotations

from collections.abc import Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.aurora.runbook.plugins.module_utils import _redact, _survey
from ansible_collections.aurora.runbook.plugins.module_utils._errors import RunbookError


def survey(names: Sequence[str]) -> dict:
    try:
        return _survey.spec(names)
    except RunbookError as error:
        raise AnsibleFilterError(_redact.redact_text(str(error))) from None


class FilterModule:
    def filters(self) -> dict:
        return {"survey": survey}
