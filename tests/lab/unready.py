# SPDX-License-Identifier: GPL-3.0-or-later
"""How a lab's Aurora host can be made unready for a remediation while nothing is wrong with Aurora itself.

/opt/lab/fault on the host knows each by its name, and its argument "mend" removes all. No alert fires for any of them,
so they are not faults of an incident; those are in faults.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unready:
    """``what`` a preflight calls it; ``about`` is a part of the name of the one that is affected."""

    what: str
    about: str
    does: str


KELLY, SLOWER = "KELLY_MULTIPLIER", "DECISIONS_PER_MINUTE"
UNREADY = {
    "sudo_password": Unready("become", "", "sudo asks the account for a password"),
    "sudo_terminal": Unready("become", "", "sudo wants a terminal (requiretty), which a pipelined module has not"),
    "unit_masked": Unready("units", "nginx", "somebody masked nginx, which still runs"),
    "knob_unset": Unready("knob", f"UnsetEnvironment={KELLY}", f"a drop-in takes {KELLY} out of every environment"),
    "knob_wrapped": Unready(
        "knob", f"{SLOWER}=30 in its ExecStart", f"the command line of the runner sets {SLOWER} itself"
    ),
    "knob_later": Unready("knob", "zzzz.conf", "a drop-in that sorts after ours names another EnvironmentFile"),
    "knob_pending": Unready("knob", "P_THRESHOLD", "somebody edited a threshold, and restarted nothing"),
    "knob_unloaded": Unready("knob", "daemon-reload", "somebody edited the unit without daemon-reload"),
    "token_odd": Unready("token", "auth_token", "the feed's token is two words, of which no header can be made"),
    "log_foreign": Unready("logs", "orders_denied", "the log of denied orders belongs to root"),
    "rotation_open": Unready(
        "rotation", "/etc/logrotate.d/aurora", "everybody can write to logrotate's configuration of the logs"
    ),
    "refit_open": Unready("calibration", "calibrate.py", "everybody can write to calibrate.py"),
    "refit_gone": Unready("calibration", "calibrate.py", "calibrate.py is gone"),
    "record_broken": Unready("records", "circuit_breaker-20260101", "somebody changed a line of a record"),
    "records_open": Unready("records", "/var/lib/aurora-runbook", "everybody can write where the records are"),
    "program_open": Unready("program", "", "everybody can write to a directory above the program"),
    "program_read_only": Unready("program", "/usr/local/lib", "where the program is put is read-only"),
    "paused": Unready("pause", "", "somebody paused automation, and nobody ended it"),
}
