# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties are tried as long as they take: a busy machine is no reason to fail."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
