# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import lab
import pytest


@pytest.mark.parametrize(
    ("asked", "facts", "chosen"),
    [
        (None, None, "bookworm"),
        ("trixie", None, "trixie"),
        (None, {"debian": "bullseye"}, "bullseye"),
        ("bullseye", {"debian": "bullseye"}, "bullseye"),
    ],
)
def test_the_debian_is_what_was_asked_for_or_what_the_lab_has(asked, facts, chosen) -> None:
    assert lab.chosen_debian(asked, facts) == chosen


@pytest.mark.parametrize(
    ("asked", "facts", "said"),
    [
        ("13", None, "bullseye, bookworm, trixie"),
        ("", None, "bullseye, bookworm, trixie"),
        ("trixie", {"debian": "bookworm"}, "up with Debian bookworm"),
    ],
)
def test_another_debian_is_refused_with_what_to_do(asked, facts, said) -> None:
    with pytest.raises(lab.LabError, match=said):
        lab.chosen_debian(asked, facts)
