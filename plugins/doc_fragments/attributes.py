# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module of the collection declares about itself."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and report what it would change without changing it.
  diff_mode:
    description: Reports in diff mode what it changed or would change.
  platform:
    description: Managed hosts on which it runs. They need Python 3.9 or later and nothing else.
    platforms: linux with systemd
    support: full
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

    READS = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - Changes nothing in either mode.
  diff_mode:
    support: N/A
    details:
      - Changes nothing.
"""

    CONTROLLER = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Reports in diff mode what it changed or would change.
  platform:
    description: Where it runs.
    platforms: all
    support: full
    details: Runs on the controller.
"""
