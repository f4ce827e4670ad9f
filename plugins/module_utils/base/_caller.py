# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a call comes from an account that may only send allowed requests. Private to aurora.runbook.

Nothing that such a call asks for counts as the decision of a person, because nobody knows who uses that account.
"""

from __future__ import annotations

has_all_rights = True  # program/_call sets it to False for its whole process
