/* test_doctor.c - the doctor's judges: networks that are broken in one place each, and sound ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor_random.h"

struct network {
  const char *name;
  void (*change)(struct doctor_evidence *e);
  int check; /* of the cause; for a sound network -1, or what the warning is about */
  enum doctor_class class;
  const char *says[3]; /* in the sentence at the end */
};

/* Broken networks ------------------------------------------------------------------------------------------------ */

static void no_nic(struct doctor_evidence *e) {
  e->nics = 0;
}

static void stranger(struct doctor_evidence *e) {
  e->supported = DOCTOR_NO;
  e->holder = DOCTOR_NOBODY;
  e->device_id = 0x10EA;
}

static void unknown_nic(struct doctor_evidence *e) {
  e->supported = DOCTOR_NO;
  e->holder = DOCTOR_NOBODY;
  e->device_id = 0x1572;
}

static void no_cable(struct doctor_evidence *e) {
  case_silent(e);
  e->link = DOCTOR_NO;
  e->speed_mbps = 0;
  e->frames_in = e->untagged_in = e->frames_out = e->frames_given = 0;
}

static void half_open(struct doctor_evidence *e) {
  case_silent(e);
  e->frames_in = e->untagged_in = 0;
}

static void nothing_leaves(struct doctor_evidence *e) {
  case_silent(e);
  e->frames_out = 0;
}

static void damaged(struct doctor_evidence *e) {
  case_silent(e);
  e->frames_in = e->untagged_in = 0;
  e->damaged_in = 31;
}

static void no_server(struct doctor_evidence *e) {
  case_silent(e);
}

static void no_boot_file(struct doctor_evidence *e) {
  e->offers[0].file[0] = '\0';
  e->url[0] = '\0';
  case_unfetched(e, DOCTOR_FETCH_UNASKED);
  e->server = 0;
  e->server_arp = e->server_ping = e->big_ping = DOCTOR_UNASKED;
}

static void wrong_boot_file(struct doctor_evidence *e) {
  case_unfetched(e, DOCTOR_FETCH_NOT_FOUND);
  e->fetch_code = 1;
}

static void http_404(struct doctor_evidence *e) {
  SET(e->url, "http://10.0.0.2/boot.efi");
  case_unfetched(e, DOCTOR_FETCH_NOT_FOUND);
  e->fetch_code = 404;
}

static void http_500(struct doctor_evidence *e) {
  SET(e->url, "http://10.0.0.2/boot.efi");
  case_unfetched(e, DOCTOR_FETCH_REFUSED);
  e->fetch_code = 500;
  SET(e->fetch_text, "Internal Server Error");
}

static void other_architecture(struct doctor_evidence *e) {
  e->file = DOCTOR_FILE_OTHER_MACHINE;
  e->file_machine = 0xAA64;
  e->load = DOCTOR_LOAD_UNASKED;
}

static void bios_loader(struct doctor_evidence *e) {
  e->file = DOCTOR_FILE_NO_IMAGE;
  e->load = DOCTOR_LOAD_UNASKED;
}

static void tftp_blocked(struct doctor_evidence *e) {
  case_unfetched(e, DOCTOR_FETCH_NO_ANSWER);
}

static void no_tftp_server(struct doctor_evidence *e) {
  case_unfetched(e, DOCTOR_FETCH_PORT_CLOSED);
}

static void mtu_hole(struct doctor_evidence *e) {
  e->big_ping = DOCTOR_NO;
  e->path_mtu = 1400;
  case_unfetched(e, DOCTOR_FETCH_STOPPED);
}

static void stops_midway(struct doctor_evidence *e) {
  case_unfetched(e, DOCTOR_FETCH_STOPPED);
  e->fetch_bytes = 65536;
}

static void duplicate_address(struct doctor_evidence *e) {
  static const uint8_t rival[6] = {0x02, 0, 0, 0, 0, 0x99};
  e->taken = DOCTOR_YES;
  memcpy(e->rival, rival, sizeof(rival));
}

static void wrong_subnet(struct doctor_evidence *e) {
  e->gateway = e->offers[0].gateway = IP(192, 168, 7, 1);
  e->gateway_answers = DOCTOR_NO;
}

static void no_gateway(struct doctor_evidence *e) {
  e->gateway = e->offers[0].gateway = 0;
  e->server = IP(192, 168, 7, 2);
  e->server_arp = e->server_ping = e->big_ping = DOCTOR_UNASKED;
  case_unfetched(e, DOCTOR_FETCH_NO_ANSWER);
}

static void gateway_down(struct doctor_evidence *e) {
  e->gateway_answers = DOCTOR_NO;
  e->server = IP(192, 168, 7, 2);
  e->server_arp = DOCTOR_UNASKED;
  e->server_ping = DOCTOR_NO;
  case_unfetched(e, DOCTOR_FETCH_NO_ANSWER);
}

static void server_down(struct doctor_evidence *e) {
  e->server = IP(10, 0, 0, 3);
  e->server_arp = DOCTOR_NO;
  e->server_ping = DOCTOR_NO;
  case_unfetched(e, DOCTOR_FETCH_NO_ANSWER);
}

static void server_unreachable(struct doctor_evidence *e) {
  e->server = IP(192, 168, 7, 2);
  e->server_arp = DOCTOR_UNASKED;
  e->server_ping = DOCTOR_NO;
  e->unreachable_from = IP(10, 0, 0, 1);
  case_unfetched(e, DOCTOR_FETCH_NO_ANSWER);
}

static void two_servers(struct doctor_evidence *e) {
  (void)case_offer(e, IP(192, 168, 1, 1), IP(192, 168, 1, 100), IP(192, 168, 1, 1), "");
}

static void two_masks(struct doctor_evidence *e) {
  case_offer(e, IP(10, 0, 0, 3), IP(10, 0, 0, 44), IP(10, 0, 0, 1), "BOOTX64.EFI")->mask = 0xFFFF0000U;
}

static void two_boot_files(struct doctor_evidence *e) {
  (void)case_offer(e, IP(10, 0, 0, 3), IP(10, 0, 0, 44), IP(10, 0, 0, 1), "pxelinux.0");
}

static void vlan_needed(struct doctor_evidence *e) {
  case_silent(e);
  e->vlans[0] = (struct doctor_vlan){5, 8};
  e->vlan_count = 1;
  e->untagged_in = 1;
  e->link_local_in = 1;
}

static void answers_tagged(struct doctor_evidence *e) {
  case_silent(e);
  e->vlans[0] = (struct doctor_vlan){7, 3};
  e->vlan_count = 1;
  e->reply_vlan = 7;
}

static void priority_under_foreign(struct doctor_evidence *e) {
  case_silent(e);
  e->holder = DOCTOR_FOREIGN;
  SET(e->holder_name, "Acme NIC driver");
  e->priority_in = 9;
  e->untagged_in = 0;
}

static void twin_in_machine(struct doctor_evidence *e) {
  SET(e->mac_twin, "eth1");
}

static void twin_on_wire(struct doctor_evidence *e) {
  e->own_mac_heard = 4;
}

static void no_mac(struct doctor_evidence *e) {
  memset(e->mac, 0, sizeof(e->mac));
}

static void nvm_checksum(struct doctor_evidence *e) {
  e->nvm_good = DOCTOR_NO;
  e->nvm_sum = 0x1234;
}

static void foreign_without_snp(struct doctor_evidence *e) {
  case_silent(e);
  e->holder = DOCTOR_FOREIGN;
  SET(e->holder_name, "Acme NIC driver");
  e->holder_snp = DOCTOR_NO;
}

static void no_randomness(struct doctor_evidence *e) {
  e->rng = DOCTOR_NO;
  e->stack_mnp = e->stack_ip4 = e->stack_tftp = e->stack_pxe = e->stack_http = DOCTOR_NO;
  case_unfetched(e, DOCTOR_FETCH_UNASKED);
}

static void idle_stack(struct doctor_evidence *e) {
  no_randomness(e);
  e->stack_idle = DOCTOR_YES;
}

static void no_stack(struct doctor_evidence *e) {
  e->stack_mnp = e->stack_ip4 = e->stack_tftp = e->stack_pxe = e->stack_http = DOCTOR_NO;
  case_unfetched(e, DOCTOR_FETCH_UNASKED);
}

static void secure_boot(struct doctor_evidence *e) {
  e->secure_boot = DOCTOR_YES;
  e->load = DOCTOR_LOAD_REFUSED;
}

static void link_flaps(struct doctor_evidence *e) {
  case_silent(e);
  e->link_drops = 4;
}

static void tree_listens(struct doctor_evidence *e) {
  case_silent(e);
  e->frames_in = e->untagged_in = e->link_local_in = e->bpdus = 3;
}

static void tree_says_so(struct doctor_evidence *e) {
  case_silent(e);
  e->bpdus = 3;
  e->link_local_in = 3;
  e->forwarding = DOCTOR_NO;
}

static void no_bus_master(struct doctor_evidence *e) {
  case_silent(e);
  e->bus_master = DOCTOR_NO;
  e->frames_out = 0;
  e->frames_in = 0;
}

static void nameless_server(struct doctor_evidence *e) {
  e->offers[0].server = 0;
  e->url[0] = '\0';
}

static void unacknowledged(struct doctor_evidence *e) {
  e->acknowledged = e->refused = DOCTOR_NO;
}

static void refused(struct doctor_evidence *e) {
  e->acknowledged = DOCTOR_NO;
  e->refused = DOCTOR_YES;
  SET(e->refusal, "no such lease");
}

static void not_started(struct doctor_evidence *e) {
  e->started = DOCTOR_NO;
  SET(e->start_error, "Time out");
}

static void gone(struct doctor_evidence *e) {
  e->gone = DOCTOR_YES;
}

static void too_large(struct doctor_evidence *e) {
  case_unfetched(e, DOCTOR_FETCH_TOO_LARGE);
  e->fetch_bytes = 4ULL << 30;
}

static void damaged_image(struct doctor_evidence *e) {
  e->load = DOCTOR_LOAD_FAILED;
}

static const struct network broken[] = {
    {"no NIC", no_nic, DOCTOR_NIC, DOCTOR_CLASS_NOT_FOUND, {"no network controller", "setup"}},
    {"a NIC that is known and not driven",
     stranger,
     DOCTOR_NIC,
     DOCTOR_CLASS_UNSUPPORTED,
     {"82577LM (8086:10ea)", "chipset"}},
    {"a NIC that nobody knows", unknown_nic, DOCTOR_NIC, DOCTOR_CLASS_UNSUPPORTED, {"8086:1572"}},
    {"no cable", no_cable, DOCTOR_LINK, DOCTOR_CLASS_NO_LINK, {"no link in 5 s", "plug the cable in"}},
    {"half-open port", half_open, DOCTOR_IN, DOCTOR_CLASS_NO_ANSWER, {"12 frames went out, and not one came in"}},
    {"transmitter dead", nothing_leaves, DOCTOR_OUT, DOCTOR_CLASS_DEVICE, {"not one of 12 frames left the NIC"}},
    {"bad cable", damaged, DOCTOR_IN, DOCTOR_CLASS_NO_ANSWER, {"every one was damaged", "replace the cable"}},
    {"no DHCP server", no_server, DOCTOR_DHCP, DOCTOR_CLASS_NO_ANSWER, {"no DHCP server answered 2 requests"}},
    {"no boot file", no_boot_file, DOCTOR_BOOTFILE, DOCTOR_CLASS_NOT_FOUND, {"names no boot file", "next-server"}},
    {"wrong boot file", wrong_boot_file, DOCTOR_FETCH, DOCTOR_CLASS_NOT_FOUND, {"has no such file", "BOOTX64.EFI"}},
    {"HTTP 404", http_404, DOCTOR_FETCH, DOCTOR_CLASS_NOT_FOUND, {"has no such file", "http://10.0.0.2/boot.efi"}},
    {"HTTP 500", http_500, DOCTOR_FETCH, DOCTOR_CLASS_NETWORK, {"status 500 Internal Server Error"}},
    {"other architecture", other_architecture, DOCTOR_IMAGE, DOCTOR_CLASS_IMAGE, {"AArch64", "x86-64", "option 93"}},
    {"BIOS loader", bios_loader, DOCTOR_IMAGE, DOCTOR_CLASS_IMAGE, {"no EFI image"}},
    {"TFTP blocked", tftp_blocked, DOCTOR_FETCH, DOCTOR_CLASS_NO_ANSWER, {"TFTP does not answer", "UDP port 69"}},
    {"no TFTP server", no_tftp_server, DOCTOR_FETCH, DOCTOR_CLASS_NO_ANSWER, {"no TFTP server runs"}},
    {"MTU hole", mtu_hole, DOCTOR_PATH, DOCTOR_CLASS_NETWORK, {"MTU hole", "1500", "1400"}},
    {"stops midway", stops_midway, DOCTOR_FETCH, DOCTOR_CLASS_NO_ANSWER, {"stops after 65536 bytes"}},
    {"duplicate address",
     duplicate_address,
     DOCTOR_ADDRESS,
     DOCTOR_CLASS_NETWORK,
     {"10.0.0.15 is taken", "02:00:00:00:00:99"}},
    {"wrong subnet", wrong_subnet, DOCTOR_GATEWAY, DOCTOR_CLASS_NETWORK, {"192.168.7.1 is not on the network"}},
    {"no gateway", no_gateway, DOCTOR_GATEWAY, DOCTOR_CLASS_NETWORK, {"there is none", "192.168.7.2", "option 3"}},
    {"gateway down", gateway_down, DOCTOR_GATEWAY, DOCTOR_CLASS_NO_ANSWER, {"10.0.0.1 does not answer ARP"}},
    {"server down", server_down, DOCTOR_SERVER, DOCTOR_CLASS_NO_ANSWER, {"10.0.0.3 does not answer ARP"}},
    {"server unreachable", server_unreachable, DOCTOR_SERVER, DOCTOR_CLASS_NO_ANSWER, {"10.0.0.1 says"}},
    {"two servers", two_servers, DOCTOR_AGREE, DOCTOR_CLASS_NETWORK, {"10.0.0.2", "192.168.1.1", "different networks"}},
    {"two masks", two_masks, DOCTOR_AGREE, DOCTOR_CLASS_NETWORK, {"10.0.0.3 put", "different networks"}},
    {"two boot files", two_boot_files, DOCTOR_AGREE, DOCTOR_CLASS_NETWORK, {"different boot files"}},
    {"VLAN needed", vlan_needed, DOCTOR_TAGS, DOCTOR_CLASS_NETWORK, {"VLAN 5", "untagged (access) port"}},
    {"answers tagged", answers_tagged, DOCTOR_TAGS, DOCTOR_CLASS_NETWORK, {"VLAN 7"}},
    {"priority tags under a foreign driver",
     priority_under_foreign,
     DOCTOR_TAGS,
     DOCTOR_CLASS_NETWORK,
     {"priority tags", "Acme", "e1000.efi"}},
    {"same MAC in this machine", twin_in_machine, DOCTOR_MAC, DOCTOR_CLASS_DEVICE, {"eth1 in this machine"}},
    {"same MAC on the wire", twin_on_wire, DOCTOR_MAC, DOCTOR_CLASS_NETWORK, {"another station", "52:54:00:12:34:56"}},
    {"no MAC", no_mac, DOCTOR_MAC, DOCTOR_CLASS_DEVICE, {"00:00:00:00:00:00"}},
    {"NVM checksum", nvm_checksum, DOCTOR_NVM, DOCTOR_CLASS_DEVICE, {"checksum is 0x1234"}},
    {"foreign driver without SNP",
     foreign_without_snp,
     DOCTOR_DRIVER,
     DOCTOR_CLASS_UNSUPPORTED,
     {"Acme", "no network interface"}},
    {"no randomness", no_randomness, DOCTOR_STACK, DOCTOR_CLASS_UNSUPPORTED, {"random numbers", "virtio-rng-pci"}},
    {"stack not connected", idle_stack, DOCTOR_STACK, DOCTOR_CLASS_UNSUPPORTED, {"nobody connected it", "connect -r"}},
    {"stack switched off", no_stack, DOCTOR_STACK, DOCTOR_CLASS_UNSUPPORTED, {"no IPv4 stack"}},
    {"Secure Boot", secure_boot, DOCTOR_SECURE, DOCTOR_CLASS_SECURITY, {"Secure Boot refuses", "not signed"}},
    {"link flaps", link_flaps, DOCTOR_LINK, DOCTOR_CLASS_NO_LINK, {"went down 4 times", "cable"}},
    {"spanning tree listens", tree_listens, DOCTOR_TREE, DOCTOR_CLASS_NO_ANSWER, {"spanning tree", "portfast"}},
    {"spanning tree says so", tree_says_so, DOCTOR_TREE, DOCTOR_CLASS_NO_ANSWER, {"does not forward", "portfast"}},
    {"no bus master", no_bus_master, DOCTOR_MEMORY, DOCTOR_CLASS_DEVICE, {"bus master"}},
    {"server without a name", nameless_server, DOCTOR_DHCP, DOCTOR_CLASS_NETWORK, {"option 54"}},
    {"no acknowledgement", unacknowledged, DOCTOR_DHCP, DOCTOR_CLASS_NETWORK, {"does not answer the request"}},
    {"refusal", refused, DOCTOR_DHCP, DOCTOR_CLASS_NETWORK, {"10.0.0.15 and then refuses it ('no such lease')"}},
    {"does not start", not_started, DOCTOR_DRIVER, DOCTOR_CLASS_DEVICE, {"does not start on it: Time out"}},
    {"gone", gone, DOCTOR_DRIVER, DOCTOR_CLASS_DEVICE, {"stopped answering"}},
    {"boot file too large", too_large, DOCTOR_FETCH, DOCTOR_CLASS_UNSUPPORTED, {"does not fit", "4294967296 bytes"}},
    {"damaged image", damaged_image, DOCTOR_SECURE, DOCTOR_CLASS_IMAGE, {"cannot load the boot file"}},
};

/* Sound ones ----------------------------------------------------------------------------------------------------- */

static void sound(struct doctor_evidence *e) {
  (void)e;
}

static void sound_http(struct doctor_evidence *e) {
  e->offers[0].file[0] = '\0';
  case_offer(e, IP(10, 0, 0, 2), IP(10, 0, 0, 15), IP(10, 0, 0, 1), "http://10.0.0.2/boot.efi")->http = DOCTOR_YES;
  SET(e->url, "http://10.0.0.2/boot.efi");
}

static void sound_proxy(struct doctor_evidence *e) {
  e->offers[0].file[0] = '\0';
  struct doctor_offer *offer = case_offer(e, IP(10, 0, 0, 3), IP(192, 168, 1, 9), 0, "BOOTX64.EFI");
  offer->proxy = DOCTOR_YES;
  offer->mask = 0;
  SET(e->url, "tftp://10.0.0.3/BOOTX64.EFI");
  e->server = IP(10, 0, 0, 3);
}

static void sound_pair(struct doctor_evidence *e) {
  (void)case_offer(e, IP(10, 0, 0, 3), IP(10, 0, 0, 115), IP(10, 0, 0, 1), "BOOTX64.EFI");
}

static void sound_behind_gateway(struct doctor_evidence *e) {
  e->server = e->offers[0].next_server = IP(192, 168, 7, 2);
  e->server_arp = DOCTOR_UNASKED;
  e->server_ping = DOCTOR_NO; /* as many do not */
  e->big_ping = DOCTOR_UNASKED;
  SET(e->url, "tftp://192.168.7.2/BOOTX64.EFI");
}

static void sound_virtio(struct doctor_evidence *e) {
  SET(e->model, "virtio-net");
  e->nvm = DOCTOR_NO;
  e->nvm_good = DOCTOR_UNASKED;
  e->speed_mbps = 0;
  e->full_duplex = DOCTOR_UNASKED;
  e->partner_negotiates = DOCTOR_UNASKED;
  e->bpdus = 2;
  e->link_local_in = 3;
  SET(e->switch_name, "core-1");
  SET(e->switch_port, "Gi0/7");
}

static void sound_foreign(struct doctor_evidence *e) {
  e->holder = DOCTOR_FOREIGN;
  SET(e->holder_name, "Virtio 1.0 PCI Driver");
  e->nvm = e->nvm_good = DOCTOR_UNASKED;
  e->partner_negotiates = DOCTOR_UNASKED;
}

static void sound_island(struct doctor_evidence *e) {
  e->gateway = e->offers[0].gateway = 0;
  e->gateway_answers = DOCTOR_UNASKED;
}

static void sound_by_hand(struct doctor_evidence *e) {
  e->offer_count = 0;
  e->by_hand = DOCTOR_YES;
  e->url_by_hand = DOCTOR_YES;
  e->discovers = 0;
}

static void sound_signed(struct doctor_evidence *e) {
  e->file_signed = DOCTOR_YES;
  e->secure_boot = DOCTOR_YES;
}

static void sound_vlans_beside(struct doctor_evidence *e) {
  e->vlans[0] = (struct doctor_vlan){5, 3};
  e->vlan_count = 1;
}

static void sound_host_route(struct doctor_evidence *e) {
  e->mask = e->offers[0].mask = UINT32_MAX;
  e->gateway = e->offers[0].gateway = IP(169, 254, 1, 1);
  e->server_arp = DOCTOR_UNASKED;
}

static const struct network healthy[] = {
    {"TFTP", sound, -1, DOCTOR_CLASS_NONE, {"tftp://10.0.0.2/BOOTX64.EFI came whole and can be started"}},
    {"HTTP", sound_http, -1, DOCTOR_CLASS_NONE, {"http://10.0.0.2/boot.efi came whole"}},
    {"proxyDHCP", sound_proxy, -1, DOCTOR_CLASS_NONE, {"tftp://10.0.0.3/"}},
    {"a pair of servers", sound_pair, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"server behind the gateway", sound_behind_gateway, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"virtio behind a switch", sound_virtio, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"a foreign driver", sound_foreign, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"no gateway needed", sound_island, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"address by hand", sound_by_hand, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"signed, Secure Boot", sound_signed, -1, DOCTOR_CLASS_NONE, {"can be started"}},
    {"VLANs beside", sound_vlans_beside, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
    {"one host alone on its network", sound_host_route, -1, DOCTOR_CLASS_NONE, {"Nothing is in the way"}},
};

/* Nothing is broken, and something is worth a look ---------------------------------------------------------------- */

static void warn_priority(struct doctor_evidence *e) {
  e->priority_in = 9;
  e->untagged_in = 0;
}

static void warn_free_nic(struct doctor_evidence *e) {
  warn_priority(e);
  e->holder = DOCTOR_NOBODY;
  e->boot_entries = e->boot_place = 0;
}

static void warn_boot_order(struct doctor_evidence *e) {
  e->boot_place = 0;
}

static void warn_no_entry(struct doctor_evidence *e) {
  warn_priority(e); /* the harmless one is not what is named */
  e->boot_entries = e->boot_place = 0;
}

static void warn_ipxe(struct doctor_evidence *e) {
  e->holder = DOCTOR_FOREIGN;
  e->option_rom = DOCTOR_YES;
  SET(e->holder_name, "iPXE (82540em.efidrv)");
}

static void warn_virtio_vlan(struct doctor_evidence *e) {
  sound_foreign(e);
  sound_vlans_beside(e);
}

static void warn_half_duplex(struct doctor_evidence *e) {
  e->speed_mbps = 100;
  e->full_duplex = DOCTOR_NO;
  e->partner_negotiates = DOCTOR_NO;
}

static void warn_one_drop(struct doctor_evidence *e) {
  e->link_drops = 1;
}

static void warn_gateway(struct doctor_evidence *e) {
  e->gateway_answers = DOCTOR_NO;
}

static void warn_cable(struct doctor_evidence *e) {
  e->damaged_in = 2;
}

static void warn_ipv6_only(struct doctor_evidence *e) {
  e->boot_place = e->boot_entries = 0; /* which matters less */
  case_silent(e);
  e->router6 = e->dhcp6 = DOCTOR_YES;
  SET(e->url6, "http://[fd00::2]/boot.efi");
}

static void warn_ipv6_file(struct doctor_evidence *e) {
  no_boot_file(e);
  warn_ipv6_only(e);
  (void)case_offer(e, IP(10, 0, 0, 2), IP(10, 0, 0, 15), IP(10, 0, 0, 1), "");
}

static void warn_short_lease(struct doctor_evidence *e) {
  e->offers[0].lease_s = 20;
}

static const struct network warned[] = {
    {"priority tags", warn_priority, DOCTOR_TAGS, DOCTOR_CLASS_NONE, {"priority tag", "harmless"}},
    {"free NIC", warn_free_nic, DOCTOR_DRIVER, DOCTOR_CLASS_NONE, {"no driver of the firmware", "e1000.efi"}},
    {"boot order", warn_boot_order, DOCTOR_ORDER, DOCTOR_CLASS_NONE, {"none of them is in the boot order"}},
    {"no boot entry", warn_no_entry, DOCTOR_ORDER, DOCTOR_CLASS_NONE, {"no entry of the boot order"}},
    {"iPXE", warn_ipxe, DOCTOR_DRIVER, DOCTOR_CLASS_NONE, {"iPXE (82540em.efidrv)", "exclusively", "option ROM"}},
    {"virtio and VLANs", warn_virtio_vlan, DOCTOR_DRIVER, DOCTOR_CLASS_NONE, {"1518 bytes"}},
    {"half duplex", warn_half_duplex, DOCTOR_LINK, DOCTOR_CLASS_NONE, {"half duplex: the partner does not negotiate"}},
    {"one drop", warn_one_drop, DOCTOR_LINK, DOCTOR_CLASS_NONE, {"went down once"}},
    {"gateway not needed", warn_gateway, DOCTOR_GATEWAY, DOCTOR_CLASS_NONE, {"the boot server is not behind it"}},
    {"some damaged", warn_cable, DOCTOR_IN, DOCTOR_CLASS_NONE, {"2 damaged ones"}},
    {"IPv6 only", warn_ipv6_only, DOCTOR_DHCP, DOCTOR_CLASS_NONE, {"over IPv6 one does"}},
    {"boot file by IPv6 only", warn_ipv6_file, DOCTOR_BOOTFILE, DOCTOR_CLASS_NONE, {"over IPv6 http://[fd00::2]"}},
    {"short lease", warn_short_lease, DOCTOR_DHCP, DOCTOR_CLASS_NONE, {"for 20 s only"}},
};

/* -------------------------------------------------------------------------------------------------------------- */

static void expect(const struct network *network, struct doctor_finding findings[DOCTOR_CHECKS]) {
  struct doctor_evidence evidence;
  struct doctor_conclusion conclusion;
  case_sound(&evidence);
  network->change(&evidence);
  doctor_judge(&evidence, findings);
  doctor_conclude(&evidence, findings, &conclusion);
  if(conclusion.check != network->check || conclusion.class != network->class) {
    print_error("%s: %d, class %d: %s\n", network->name, conclusion.check, (int)conclusion.class, conclusion.sentence);
  }
  assert_int_equal(conclusion.check, network->check);
  assert_int_equal(conclusion.class, network->class);
  for(size_t i = 0; i < 3 && network->says[i]; i++) {
    if(!strstr(conclusion.sentence, network->says[i])) {
      print_error("%s: no '%s' in: %s\n", network->name, network->says[i], conclusion.sentence);
      fail();
    }
  }
}

static void test_broken_networks(void **state) {
  struct doctor_finding findings[DOCTOR_CHECKS];
  (void)state;
  for(size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
    expect(&broken[i], findings);
    /* What failed says what to do about it, and nothing before it failed. */
    for(int check = 0; check < broken[i].check; check++) {
      assert_int_not_equal(findings[check].verdict, DOCTOR_FAIL);
    }
    assert_int_equal(findings[broken[i].check].verdict, DOCTOR_FAIL);
    assert_true(findings[broken[i].check].remedy[0]);
  }
}

static void test_sound_networks(void **state) {
  struct doctor_finding findings[DOCTOR_CHECKS];
  (void)state;
  for(size_t i = 0; i < sizeof(healthy) / sizeof(healthy[0]); i++) {
    expect(&healthy[i], findings);
    for(int check = 0; check < DOCTOR_CHECKS; check++) {
      if(findings[check].verdict != DOCTOR_OK && findings[check].verdict != DOCTOR_UNSEEN) {
        print_error("%s: '%s' %s: %s\n", healthy[i].name, doctor_checks[check].name,
                    doctor_verdict_text(findings[check].verdict), findings[check].text);
        fail();
      }
      assert_false(findings[check].remedy[0]);
    }
  }
}

static void test_warnings(void **state) {
  struct doctor_finding findings[DOCTOR_CHECKS];
  (void)state;
  for(size_t i = 0; i < sizeof(warned) / sizeof(warned[0]); i++) {
    expect(&warned[i], findings);
    assert_int_equal(findings[warned[i].check].verdict, DOCTOR_WARN);
    assert_true(findings[warned[i].check].remedy[0]);
  }
}

/* A check stands behind what it needs, or it would look at a verdict that is not there yet. */
static void test_order(void **state) {
  (void)state;
  for(uint32_t i = 0; i < DOCTOR_CHECKS; i++) {
    assert_non_null(doctor_checks[i].name);
    assert_non_null(doctor_checks[i].judge);
    assert_int_equal(doctor_checks[i].needs >> i, 0);
  }
}

/* What is not come to, and what needs something that failed, says so. */
static void test_skipped(void **state) {
  struct doctor_evidence evidence;
  struct doctor_finding findings[DOCTOR_CHECKS];
  struct doctor_conclusion conclusion;
  (void)state;
  case_sound(&evidence);
  no_cable(&evidence);
  doctor_judge(&evidence, findings);
  assert_int_equal(findings[DOCTOR_IN].verdict, DOCTOR_SKIPPED);
  assert_string_equal(findings[DOCTOR_IN].text, "needs 'link'");
  assert_string_equal(findings[DOCTOR_FETCH].text, "needs 'server'");
  assert_int_equal(findings[DOCTOR_STACK].verdict, DOCTOR_OK);
  assert_int_equal(findings[DOCTOR_ORDER].verdict, DOCTOR_OK);
  evidence.reached = DOCTOR_LINK;
  evidence.aborted = DOCTOR_YES;
  doctor_judge(&evidence, findings);
  doctor_conclude(&evidence, findings, &conclusion);
  assert_string_equal(findings[DOCTOR_LINK].text, "not come to");
  assert_int_equal(conclusion.class, DOCTOR_CLASS_ABORTED);
  assert_int_equal(conclusion.check, -1);
  assert_non_null(strstr(conclusion.sentence, "Stopped by a key"));
  /* What broke before the key is still the cause. */
  nvm_checksum(&evidence);
  doctor_judge(&evidence, findings);
  doctor_conclude(&evidence, findings, &conclusion);
  assert_int_equal(conclusion.check, DOCTOR_NVM);
  assert_int_equal(conclusion.class, DOCTOR_CLASS_DEVICE);
}

/* Of a struct of zeroes nothing is claimed but that there is no NIC. */
static void test_nothing_known(void **state) {
  static struct doctor_evidence evidence;
  struct doctor_finding findings[DOCTOR_CHECKS];
  struct doctor_conclusion conclusion;
  (void)state;
  evidence.reached = DOCTOR_CHECKS;
  doctor_judge(&evidence, findings);
  doctor_conclude(&evidence, findings, &conclusion);
  assert_int_equal(conclusion.check, DOCTOR_NIC);
  evidence.nics = 1;
  doctor_judge(&evidence, findings);
  for(int check = DOCTOR_DRIVER + 1; check < DOCTOR_CHECKS; check++) {
    assert_int_equal(findings[check].verdict, DOCTOR_UNSEEN);
  }
}

/* Any evidence at all; fuzz_doctor goes on from here. */
static void test_random_evidence(void **state) {
  struct doctor_evidence evidence;
  uint64_t seed = 1;
  (void)state;
  for(uint32_t round = 0; round < 20000; round++) {
    uint8_t *bytes = (uint8_t *)&evidence;
    case_sound(&evidence);
    for(uint32_t changes = 1U << round % 13U; changes > 0; changes--) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL; /* Knuth's MMIX */
      bytes[(seed >> 33) % sizeof(evidence)] = (uint8_t)(seed >> 25 & (round & 1U ? 0xFFU : 0x03U));
    }
    random_end_texts(&evidence);
    random_check(&evidence);
  }
}

/* A server's words reach the console as plain text. */
static void test_plain_text(void **state) {
  struct doctor_evidence evidence;
  struct doctor_finding findings[DOCTOR_CHECKS];
  (void)state;
  case_sound(&evidence);
  SET(evidence.url, "tftp://10.0.0.2/\033[2J\n\377");
  doctor_judge(&evidence, findings);
  assert_string_equal(findings[DOCTOR_BOOTFILE].text, "tftp://10.0.0.2/?[2J??");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_broken_networks), cmocka_unit_test(test_sound_networks),
      cmocka_unit_test(test_warnings),        cmocka_unit_test(test_order),
      cmocka_unit_test(test_skipped),         cmocka_unit_test(test_nothing_known),
      cmocka_unit_test(test_random_evidence), cmocka_unit_test(test_plain_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
