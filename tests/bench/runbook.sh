#!/bin/sh
# What triage_info looks at, then section 2 of the runbook, a command a line: one script for ssh, operations for pyinfra.
curl -sS https://aurora.example.com/healthz
curl -sS http://localhost:8001/healthz
curl -sS http://localhost:8001/metrics
curl -sS http://localhost:9000/metrics
curl -sSi https://api.exchange.com/status
ping -n -q -c 10 -i 0.2 api.exchange.com
ping -n -q -c 5 -i 0.2 monitor1
getent ahosts aurora.example.com api.exchange.com
systemctl status --no-pager aurora-runner aurora-live-feed nginx
journalctl --no-pager -n 30 -u aurora-runner -u aurora-live-feed -u nginx
tail -n 20 /opt/aurora/logs/aurora_events.jsonl /opt/aurora/logs/trades.jsonl /opt/aurora/logs/orders_denied.jsonl
top -b -n 1
free -h
df -h /opt/aurora
df -i /opt/aurora
iostat -dxy 1 1
ufw status
nginx -t
openssl s_client -connect aurora.example.com:443 </dev/null | openssl x509 -noout -enddate
timedatectl show
mkdir -p /etc/systemd/system/aurora-runner.service.d
printf 'KELLY_MULTIPLIER=0.5\n' >/etc/aurora-runner.env
printf '[Service]\nEnvironmentFile=/etc/aurora-runner.env\n' >/etc/systemd/system/aurora-runner.service.d/kelly.conf
systemctl daemon-reload
systemctl restart aurora-runner
timeout 30 sh -c 'until curl -sS http://localhost:9000/metrics | grep "^circuit_breaker_state 0"; do sleep 0.1; done'
