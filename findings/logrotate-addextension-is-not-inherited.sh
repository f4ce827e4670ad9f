#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# logrotate 3.21.0 (Debian 12): addextension in the main configuration does nothing, extension does.
#
# Expected guess: directives above a block are its defaults, as the manual says ("local definitions override global ones"),
# so that addextension .txt above the block names the rotated file a.log.1.txt, just as it does inside the block.
# Seen: extension, rotate, dateext and the others are handed down to blocks, addextension is not: the file is called
# a.log.1, the exit status is 0 and nothing is said, although --debug shows "addextension is now .txt".
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

# rotated DIRECTIVES-ABOVE DIRECTIVES-IN-THE-BLOCK: what the rotated file of a.log is called
rotated() {
    rm -rf logs state
    mkdir -m 755 logs
    echo line >logs/a.log
    printf '%b\n%s/logs/a.log {\n    rotate 3\n    nocreate\n%b\n}\n' "$1" "$top" "$2" >main
    chmod 644 main
    LC_ALL=C LD_LIBRARY_PATH="$(echo root/lib/*-linux-gnu root/usr/lib/*-linux-gnu | tr ' ' ':')" \
        root/usr/sbin/logrotate --force --state "$top/state" main
    ls logs
}

inside=$(rotated '' 'addextension .txt')
above=$(rotated 'addextension .txt' '')
other=$(rotated 'extension .log' '')
echo "addextension in the block: $inside; above the block: $above; extension above the block: $other"
[ "$inside" = a.log.1.txt ] || exit 1
[ "$above" = a.log.1 ] || exit 1
[ "$other" = a.1.log ] || exit 1
