#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make this host the monitor of the Aurora hosts in LAB_ADDRESSES; Prometheus follows changes of that list by itself.
set -eu
cd /opt/lab
. ./lab.env

targets=$(printf '%s\n' $LAB_ADDRESSES | sed -n 's/^\(aurora.*\)=.*/"\1:9000", "\1:8001"/p' | paste -sd ,)
echo "[{\"targets\": [$targets]}]" >/etc/prometheus/targets.json

now=$(cat prometheus.yml alertmanager.yml | sha256sum)
if [ "$now" != "$(cat /var/lib/lab/monitor 2>/dev/null)" ]; then
    install -m 0644 prometheus.yml alertmanager.yml /etc/prometheus/
    echo 'ARGS="--cluster.listen-address="' >/etc/default/prometheus-alertmanager
    systemctl --quiet enable prometheus prometheus-alertmanager
    systemctl restart prometheus prometheus-alertmanager
    mkdir -p /var/lib/lab
    echo "$now" >/var/lib/lab/monitor
fi
systemctl start prometheus prometheus-alertmanager
