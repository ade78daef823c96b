#!/bin/sh
# network.sh FOLDER COMMAND...: runs COMMAND (QEMU) in a network of its own, with a tap device `tap0` on whose other
# side are 192.168.77.1 and fe80::1, dnsmasq (DHCP, TFTP) and an HTTP server for FOLDER. Needs no privileges: call it as
#   unshare -Urnpf --kill-child tests/qemu/network.sh ...
set -eu
folder=$1
shift
ip link set lo up
ip tuntap add dev tap0 mode tap
echo 0 >/proc/sys/net/ipv6/conf/tap0/accept_dad 2>/dev/null || true
ip addr add 192.168.77.1/24 dev tap0
ip addr add fe80::77/64 dev tap0 nodad
ip link set tap0 up
# --no-daemon also keeps it from changing its user, which a user namespace does not allow.
dnsmasq --no-daemon --conf-file="$folder/dnsmasq.conf" >"$folder/dnsmasq.log" 2>&1 &
dnsmasq=$!
python3 -u -m http.server --directory "$folder" --bind 192.168.77.1 8000 >"$folder/http.log" 2>&1 &
http=$!
until grep -q started "$folder/dnsmasq.log" && grep -q Serving "$folder/http.log"; do
  kill -0 "$dnsmasq" && kill -0 "$http" || { cat "$folder"/*.log; exit 1; }
  sleep 0.1
done
exec "$@"
