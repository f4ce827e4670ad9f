#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ansible-core 2.19.14 and 2.21.5 (2.18.6 does otherwise): each worker process is a session of its own.
#
# Guess: what ansible-playbook starts belongs to the session and the process group of ansible-playbook. So a signal for
# the group ends all of it, and a "nice" value in front of it yields the CPU to what is not nice.
# Seen: since 2.19, every worker is the leader of a session, and the commands of a task with a local connection belong to
# it. On a kernel with sched_autogroup_enabled=1 (Debian's default) each of these sessions gets as much of the CPU as any
# other session or as one cgroup beside them, however nice it is (sched(7)). With 2.18.6 all of them are in one session.
# Exit 0: still so. Exit 1: ansible-core behaves otherwise now. Needs Python 3.11 to 3.13 with venv, ps, and PyPI.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top"
cat >play.yml <<'END'
- hosts: all
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.raw: ps -o sid= -p $$
      register: session
    - ansible.builtin.debug:
        msg: "session {{ session.stdout | trim }}."
END

# How many sessions the tasks of two hosts were in, and whether one of them was this script's.
sessions() {
    python3 -m venv "$1"
    "$1/bin/pip" install --quiet "ansible-core==$1"
    said=$("$1/bin/ansible-playbook" -i a,b, play.yml)
    found=$(echo "$said" | grep -o 'session [0-9]*' | sort -u)
    own=$(ps -o sid= -p $$ | tr -d ' ')
    echo "$(echo "$found" | wc -l) $(echo "$found" | grep -cx "session $own" || true)"
}

before=$(sessions 2.18.6)
now=$(sessions 2.19.14)
echo "sessions of two hosts' tasks, and how many of them are ours: 2.18.6: $before, 2.19.14: $now"
[ "$before" = "1 1" ] && [ "$now" = "2 0" ]
