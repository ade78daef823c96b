@echo -off
# The main job on an embedded default: list the NICs, ping QEMU's gateway. Needs no privileges.
# Run by the UEFI Shell from the volume that netdiag.efi is on. On your own network, put your own addresses here.
for %d in fs0 fs1 fs2 fs3 fs4
  if exist %d:\netdiag.efi then
    %d:
    goto found
  endif
endfor
echo netdiag.efi is on none of fs0: to fs4:
goto end
:found
echo "=== netdiag list"
netdiag list
echo "=== status %lasterror%"
echo "=== netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c 5 -i 200"
netdiag ping 10.0.2.2 --addr 10.0.2.15/24 -c 5 -i 200
echo "=== status %lasterror%"
echo "=== end"
:end
reset -s
