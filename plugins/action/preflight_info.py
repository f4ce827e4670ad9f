# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of this name, through the program on the host; see _on_host."""

from ansible_collections.aurora.runbook.plugins.modules import preflight_info
from ansible_collections.aurora.runbook.plugins.plugin_utils import _on_host


class ActionModule(_on_host.ActionModule):
    MODULE = preflight_info
