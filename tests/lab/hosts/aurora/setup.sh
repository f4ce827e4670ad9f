#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make this host an Aurora host; run again, it changes and restarts only what is not yet so.
set -eu
cd /opt/lab
. ./lab.env

# on_change COMMAND FILE...: run the command unless it ran before with these files as they are.
on_change() {
    command=$1
    shift
    stamp="/var/lib/lab/$command"
    now=$(cat "$@" | sha256sum)
    if [ "$now" != "$(cat "$stamp" 2>/dev/null)" ]; then
        $command
        echo "$now" >"$stamp"
    fi
}

id aurora >/dev/null 2>&1 || useradd --system --user-group --home-dir /opt/aurora --shell /usr/sbin/nologin aurora
mkdir -p /var/lib/lab

# Odd hosts have the knobs in the unit, even ones in a file.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp -R files/. "$tree"
knobs=/etc/aurora/runner.env
units=$tree/etc/systemd/system
if [ $((LAB_INDEX % 2)) -eq 1 ]; then
    sed -i 's/^/Environment=/' "$tree$knobs"
    sed -i -e "/^EnvironmentFile=/{r $tree$knobs" -e 'd}' "$units/aurora-runner.service"
    rm "$tree$knobs"
    knobs=
fi
(cd "$tree" && find . -type f) | while read -r file; do
    cmp -s "$tree/$file" "/$file" || install -D -m "$(stat -c %a "$tree/$file")" "$tree/$file" "/$file"
done
ln -sf /etc/nginx/sites-available/aurora /etc/nginx/sites-enabled/aurora
rm -f /etc/nginx/sites-enabled/default
sed -i 's/^ENABLED=.*/ENABLED="true"/' /etc/default/sysstat

install -d -o aurora -g aurora /opt/aurora /opt/aurora/logs /opt/aurora/models /opt/aurora/scripts /opt/aurora/tools
install -d -o aurora -g aurora -m 0700 /opt/aurora/secrets
token=/opt/aurora/secrets/auth_token
[ -e $token ] || (umask 077 && openssl rand -hex 24 >$token)
chown -R aurora:aurora /opt/aurora
if [ ! -e /opt/aurora/models/calibration.json ]; then
    PYTHONPATH=/opt/aurora runuser -u aurora -- python3 seed.py
    runuser -u aurora -- python3 /opt/aurora/tools/calibrate.py
fi >/dev/null

if ! ufw status | grep -q '^Status: active'; then
    lan=$(ip -4 route show scope link | awk '{ print $1; exit }')
    sed -i 's/^IPV6=.*/IPV6=no/' /etc/default/ufw
    ufw allow 22/tcp
    ufw allow 443/tcp
    ufw allow proto tcp from "$lan" to any port 8001,9000
    ufw --force enable
    systemctl enable --quiet ufw
fi >/dev/null

cd /opt/aurora
services="aurora-live-feed aurora-runner nginx lab-sse-clients sysstat-collect.timer"
on_change "systemctl --quiet enable $services" "$units"/*
on_change "systemctl restart aurora-live-feed" "$units/aurora-live-feed.service" live_feed.py service.py calibration.py
on_change "systemctl restart aurora-runner" "$units/aurora-runner.service" $knobs run_live_aurora ./[!l]*.py
on_change "systemctl reload-or-restart nginx" /opt/lab/tls/cert.pem /etc/nginx/sites-available/aurora
on_change "systemctl restart lab-sse-clients" "$units/lab-sse-clients.service" /opt/lab/sse_clients.py
systemctl start $services
