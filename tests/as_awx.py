# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables that AWX passes to a job, in AWX's own form."""

from __future__ import annotations

import yaml


class Unsafe(yaml.SafeDumper):
    """Marks every text as unsafe, also names."""


Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def extra_variables(variables: dict) -> str:
    """Extra variables as AWX writes them to a file."""
    return yaml.dump(variables, Dumper=Unsafe)
