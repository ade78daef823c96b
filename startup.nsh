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
# From here to a kernel, with a file server behind QEMU's network: `tools/serve FOLDER --qemu` is one. The first only
# fetches and prints the hash, the second starts what is in the image, and does not come back.
#   netdiag fetch http://10.0.2.2:8000/image.img
#   netdiag boot http://10.0.2.2:8000/image.img --live
echo "=== end"
:end
reset -s
