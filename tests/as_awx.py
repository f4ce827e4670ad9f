# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX gives to a job, in AWX's own form."""

from __future__ import annotations

import yaml


class Unsafe(yaml.SafeDumper):
    """Every text is marked, names too."""


Unsafe.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def extra_variables(variables: dict) -> str:
    """Extra variables as AWX writes them to a file."""
    return yaml.dump(variables, Dumper=Unsafe)
