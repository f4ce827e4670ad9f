#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# pytest-rerunfailures 16.7 with pytest 9.2.0: a test that failed and was run again looks passed in a JUnit report.
#
# Guess: --junit-xml has one entry for each test, with how it ended, or marks the entry of a run that was followed by
# another one. So a test passed if an entry of its name has no <failure>, <error> or <skipped>.
# Seen: each run has an entry. That of a run which failed and was followed by another one is empty, as if it had passed.
# Only the last entry of a name says how the test ended. The number of tests in the report counts each run, too.
# Exit 0: still so. Exit 1: it behaves otherwise now. Needs Python 3.10 or later with venv, and PyPI.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top"
python3 -m venv venv
venv/bin/pip install --quiet pytest==9.2.0 pytest-rerunfailures==16.7
echo 'def test_it(): assert False' >test_it.py
venv/bin/pytest -q --reruns 1 --junit-xml=report.xml test_it.py >said 2>&1 || true
tail -1 said
venv/bin/python - <<'END'
import sys, xml.etree.ElementTree as ET
found = [[child.tag for child in case] for case in ET.parse("report.xml").iter("testcase")]
print("what the entries of one test hold:", found)
sys.exit(found != [[], ["failure"]])
END
