#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Rotate Aurora's logs now, keeping the rotation state where the service user can write it.
set -eu
exec /usr/sbin/logrotate --force --state /opt/aurora/logs/.logrotate.state /etc/logrotate.d/aurora
