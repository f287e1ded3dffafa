#!/bin/sh
# Installs the programs that tests drive, when we are root on a Debian; none of them starts by itself.
# Without them the tests that need them skip, and fail under CI=true.
set -eu
missing=""
need() { [ -e "$1" ] || missing="$missing $2"; }
need /usr/bin/chromium chromium
need /usr/lib/postgresql/15/bin/postgres postgresql-15
need /usr/bin/openssl openssl
need /usr/bin/curl curl
need /usr/bin/jq jq
need /usr/bin/prometheus prometheus
need /usr/bin/prometheus-alertmanager prometheus-alertmanager
need /usr/bin/amtool prometheus-alertmanager
need /usr/bin/prometheus-node-exporter prometheus-node-exporter
need /usr/bin/vmalert victoria-metrics
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Missing, so some tests are left out:$missing (Debian: apt install$missing)" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq install --yes --no-install-recommends $missing >/dev/null
