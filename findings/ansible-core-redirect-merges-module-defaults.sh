#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ansible-core 2.18.6 (and 2.21.5): modules that are redirected to one action plugin share their module_defaults.
#
# Guess: module_defaults of a play go by the name of the module, so that a default for module "one" never reaches
# module "two", whatever action plugin stands before them.
# Seen: with plugin_routing.action.<module>.redirect, as network collections have it, the defaults are kept by the name
# that the action resolves to. Each of the two modules gets the defaults of both, and refuses the other's option. With
# an action plugin of its own name for each module it gets its own alone.
# Exit 0: still so. Exit 1: ansible-core behaves otherwise now. Needs Python 3.11 or later with venv, and PyPI.
set -eu
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
cd "$top"
python3 -m venv venv
venv/bin/pip install --quiet ansible-core==2.18.6
collection=ansible_collections/a/b
mkdir -p $collection/plugins/modules $collection/plugins/action $collection/meta
for module in one two; do
    cat >$collection/plugins/modules/$module.py <<END
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={"of_$module": {"type": "str"}})
module.exit_json(got=sorted(name for name, value in module.params.items() if value))
END
done
cat >$collection/plugins/action/both.py <<'END'
from ansible.plugins.action.normal import ActionModule
END
cat >play.yml <<'END'
- hosts: localhost
  gather_facts: false
  module_defaults:
    a.b.one: {of_one: x}
    a.b.two: {of_two: x}
  tasks:
    - a.b.one:
END
run() {
    ANSIBLE_COLLECTIONS_PATH=$top ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false \
        venv/bin/ansible-playbook play.yml -v 2>&1 || true
}

cat >$collection/meta/runtime.yml <<'END'
plugin_routing:
  action:
    one: {redirect: a.b.both}
    two: {redirect: a.b.both}
END
redirected=$(run)
echo '{}' >$collection/meta/runtime.yml
for module in one two; do
    cp $collection/plugins/action/both.py $collection/plugins/action/$module.py
done
own=$(run)
echo "$redirected" | grep -i unsupported || { echo "redirected: no refusal"; exit 1; }
echo "$own" | grep 'of_one' || { echo "own names: $own"; exit 1; }
echo "$own" | grep -qi unsupported && exit 1
echo "redirected: the defaults of both; an action plugin each: its own"
