#!/usr/bin/python
# Copyright (c) 2026, the Aurora runbook authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: program
short_description: Install or remove the program of this collection on a host
version_added: 1.0.0
author: Aurora runbook authors (@aurora)
description:
  - Installs the program below C(/usr/local/lib/aurora-runbook). It answers the calls of this collection's modules, and
    the host's own timer ends leases with it. It consists of the code of the modules, compiled by the host's own Python.
  - Modules that change something install the program by themselves. Use this module to install it beforehand, or to
    remove everything of this collection from a host.
  - The program is written beside its final place and renamed once it is complete. An older version is removed when
    nothing uses it, and a newer one is kept. The program belongs to root. It is never run if others can change it or if
    it is incomplete.
  - O(state=absent) removes all programs, the timer of leases, drop-ins and files of overrides that no lease belongs to
    any more, and what an account with least rights was given. It restarts no service. C(/run/aurora-runbook.guard)
    stays until the next boot, because it keeps two runs apart.
  - The runbook has no section for this. It is part of how the collection works.
extends_documentation_fragment:
  - aurora.runbook.attributes
  - aurora.runbook.attributes.changes
attributes:
  diff_mode:
    support: none
options:
  state:
    description:
      - V(present) installs the program, V(absent) removes everything.
      - V(absent) is refused while a lease stands or a run works on the host, and if that cannot be read. Give back the
        leases first, with the playbook C(aurora.runbook.revert).
    type: str
    choices: [present, absent]
    default: present
  records:
    description: Whether O(state=absent) also removes C(/var/lib/aurora-runbook), the records of incidents.
    type: bool
    default: false
  name:
    description: Name of the program's directory, made of the version and a digest of the sources. The controller fills
      it in.
    type: str
  archive:
    description: The program as a zip file in base64. The controller fills it in.
    type: str
"""

EXAMPLES = r"""
- name: Have the program there before the night
  aurora.runbook.program:

- name: Take everything of this collection off the host, but keep the records
  aurora.runbook.program:
    state: absent
"""

RETURN = r"""
name:
  description: The name of the program that is installed.
  returned: success and O(state=present)
  type: str
  sample: 1.0.0-0123456789abcdef
removed:
  description: Paths that were removed. In check mode, those that would be removed.
  returned: success and O(state=absent)
  type: list
  elements: str
  sample: [/usr/local/lib/aurora-runbook]
left:
  description: What stays on the host, and why.
  returned: success and O(state=absent)
  type: list
  elements: str
  sample:
    - "/var/lib/aurora-runbook: the records of incidents; -e aurora_remove_records=true takes them too"
"""

import base64
import binascii
import io
import zipfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.aurora.runbook.plugins.module_utils.base import _redact
from ansible_collections.aurora.runbook.plugins.module_utils.base._errors import RunbookError
from ansible_collections.aurora.runbook.plugins.module_utils.program import _install, _remove

ARGUMENTS = {
    "argument_spec": {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "records": {"type": "bool", "default": False},
        "name": {"type": "str"},
        # It is no secret, but this keeps half a megabyte out of the host's journal.
        "archive": {"type": "str", "no_log": True},
    },
    "required_if": [("state", "present", ["name", "archive"])],
    "supports_check_mode": True,
}


def run(params, check_mode):
    """Install the program or remove everything; returns what the module returns."""
    if params["state"] == "absent":
        return _remove.remove(params["records"], check_mode)
    if check_mode:
        return {"changed": _install.due(params["name"]), "name": params["name"]}
    try:
        archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(params["archive"], validate=True)))
    except (binascii.Error, zipfile.BadZipFile):
        raise RunbookError("archive is not a zip file in base64") from None
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
