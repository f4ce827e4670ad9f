# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of this name, through the program on the host; see _on_host."""

from ansible_collections.aurora.runbook.plugins.plugin_utils._on_host import ActionModule

__all__ = ["ActionModule"]
