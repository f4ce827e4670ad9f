#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# logrotate 3.21.0 (Debian 12): one log that two blocks name keeps other logs from being rotated.
#
# Expected guess: the manual says of a log in two blocks only that this is an error unless ignoreduplicates is given, and
# the message is "duplicate log entry for b.log". So b.log would be left to the first block, and the second block, whose
# pattern is *.log, would rotate the others: a.log and c.log.
# Seen: the rest of the pattern is dropped at the first duplicate. a.log, which sorts before it, is rotated, c.log is not,
# at any run, and no message names it. A package that adds a block for one log so stops the rotation of all logs that sort
# after it. --debug shows "considering log" for a.log and b.log alone.
# Exit 0: still so. Exit 1: logrotate behaves otherwise now. Needs apt-get, dpkg and a Debian 12 package source.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
chmod 755 "$top"
cd "$top"
apt-get download -qq logrotate=3.21.0-1 libpopt0=1.19+dfsg-1 libselinux1=3.4-1+b6 libacl1=2.3.1-3 2>/dev/null
for package in *.deb; do
    dpkg -x "$package" root
done
logs="$top/logs"
mkdir -m 755 "$logs" d
for log in a b c; do
    echo line >"$logs/$log.log"
done
printf '%s/b.log {\n    rotate 3\n}\n' "$logs" >d/1-package
printf '%s/*.log {\n    rotate 5\n}\n' "$logs" >d/2-all
printf 'include %s/d\n' "$top" >main
chmod 644 main d/*
status=0
LC_ALL=C LD_LIBRARY_PATH="$(echo root/lib/*-linux-gnu root/usr/lib/*-linux-gnu | tr ' ' ':')" \
    root/usr/sbin/logrotate --force --state "$top/state" main 2>said || status=$?
cat said
ls "$logs"
[ "$status" = 1 ]
[ "$(ls "$logs" | tr '\n' ' ')" = "a.log.1 b.log.1 c.log " ] || exit 1
! grep -q 'c\.log' said || exit 1
echo "as seen: c.log was not rotated, and nothing says so"
