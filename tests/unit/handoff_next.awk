# tomorrow's handoff.h: each struct that may grow has grown, and the minor version with it
/^struct net_handoff(_nic|_payload|_e1000|_virtio_net)? \{$/ { growing = 1 }
/^};$/ && growing { print "  uint64_t added[4];"; growing = 0 }
/^NET_HANDOFF_ASSERT\(sizeof/ { next }
/^#define NET_HANDOFF_VERSION_MINOR/ { print "#define NET_HANDOFF_VERSION_MINOR 1U"; next }
{ print }
