#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: program
short_description: The program of this collection on a host
version_added: 0.2.0
author: Aurora runbook authors (@aurora)
description:
  - Puts the program below C(/usr/local/lib/aurora-runbook) that answers the calls of this collection's modules and
    ends leases by the host's own timer. It is what the modules are made of, compiled by the host's own Python.
  - Modules that act put it there by themselves where the connection pipelines. This module is for where it does not,
    and for having it there beforehand.
  - It is written beside its place and renamed when it is whole. An older version is removed when nothing uses it, a
    newer one stays. It belongs to root, and is never run where others can change it.
  - There is no runbook section for this; it is how the collection works.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
attributes:
  diff_mode:
    support: none
options:
  name:
    description: The directory's name, the version and a digest of the sources.
    type: str
    required: true
  archive:
    description: The program as a zip file in base64.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Have the program there before the night
  aurora.runbook.program:
"""

RETURN = r"""
name:
  description: The name of the program that is there.
  returned: success
  type: str
  sample: 0.2.0-0123456789abcdef
"""

import base64
import binascii
import io
import zipfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _install

ARGUMENTS = {
    "argument_spec": {
        "name": {"type": "str", "required": True},
        # It is no secret: this keeps half a megabyte out of the host's journal.
        "archive": {"type": "str", "required": True, "no_log": True},
    },
    "supports_check_mode": True,
}


def run(params, check_mode):
    """Put it there; returns what the module returns."""
    if check_mode:
        return {"changed": _install.due(params["name"]), "name": params["name"]}
    try:
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(params["archive"], validate=True)))
    except (binascii.Error, zipfile.BadZipFile):
        raise RunbookError("archive is no zip file in base64") from None
    return {"changed": _install.install(archive, params["name"]), "name": params["name"]}


def main():
    module = AnsibleModule(**ARGUMENTS)
    try:
        result = run(module.params, module.check_mode)
    except RunbookError as error:
        module.fail_json(msg=_redact.redact_text(str(error)))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
