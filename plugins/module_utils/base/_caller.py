# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a call comes from an account that may ask for what is allowed alone. Private to aurora.runbook.

What is a person's decision otherwise is none then: nobody knows who uses that account.
"""

from __future__ import annotations

has_all_rights = True  # program/_call says otherwise, for its whole process
