/* judge_boot.c - checks of the boot file: named, reached, fetched, of the right kind, allowed to start. Pure C. */
#include "../../driver/lib/bytes.h"
#include "finding.h"

#define IPV4_MIN_MTU 576U
#define FULL_PACKET  1500U
#define TFTP_START   "tftp:"

static bool is_tftp(const struct doctor_evidence *evidence) {
  return text_begins(evidence->url, TFTP_START);
}

/* The way -------------------------------------------------------------------------------------------------------- */

void doctor_judge_bootfile(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  bool proxy = false;
  for(uint32_t i = 0; i < doctor_offers(evidence); i++) {
    proxy = proxy || evidence->offers[i].proxy == DOCTOR_YES;
  }
  if(evidence->url[0] && evidence->url_from_6 != DOCTOR_YES) {
    doctor_ok(finding, "%s%s", evidence->url, evidence->url_by_hand == DOCTOR_YES ? ", as --url says" : "");
  } else if(evidence->by_hand == DOCTOR_YES) {
    doctor_unseen(finding, "no server was asked for one; --url names it");
  } else if(evidence->url6[0]) {
    doctor_warn(finding, "none over IPv4; over IPv6 %s", evidence->url6);
    doctor_remedy(finding, "choose network boot over IPv6 in the firmware's boot order");
    finding->weight = DOCTOR_NETWORK;
  } else if(evidence->offer_count == 0) {
    doctor_unseen(finding, "nobody was asked");
  } else if(proxy) {
    doctor_unseen(finding, "a proxyDHCP answers and names none; the firmware asks it again on port 4011");
  } else {
    doctor_fail(finding, DOCTOR_CLASS_NOT_FOUND,
                "DHCP gives an address but names no boot file, neither to a PXE client "
                "nor to an HTTP client");
    doctor_remedy(finding, "set next-server and filename there (options 66 and 67; dnsmasq: dhcp-boot=FILE,,SERVER)");
  }
}

void doctor_judge_server(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  char server[DOCTOR_ADDRESS_SIZE];
  char from[DOCTOR_ADDRESS_SIZE];
  (void)doctor_ipv4(evidence->server, server);
  if(evidence->server == 0) {
    doctor_unseen(finding, evidence->url[0] ? "its address is none of IPv4; fetching looks for it" : "none is known");
  } else if(!doctor_is_remote(evidence) && evidence->server_arp == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "%s does not answer ARP: it is off, or not on this network", server);
    doctor_remedy(finding, "start it, or put its address right (DHCP's next-server)");
  } else if(evidence->unreachable_from != 0) {
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "%s says that %s cannot be reached",
                doctor_ipv4(evidence->unreachable_from, from), server);
    doctor_remedy(finding, "start the boot server, or mend that router's routes");
  } else if(evidence->server_ping == DOCTOR_YES) {
    doctor_ok(finding, "%s answers a ping in %ju.%03ju ms%s", server, evidence->ping_us / 1000U,
              evidence->ping_us % 1000U, doctor_is_remote(evidence) ? ", through the gateway" : "");
  } else if(evidence->server_arp == DOCTOR_YES) {
    doctor_ok(finding, "%s answers ARP%s", server,
              evidence->server_ping == DOCTOR_NO ? ", and no ping, as many do not" : "");
  } else {
    doctor_unseen(finding, "%s does not answer a ping, as many do not", server);
  }
}

void doctor_judge_path(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->big_ping == DOCTOR_YES) {
    doctor_ok(finding, "packets of %u bytes get through", FULL_PACKET);
  } else if(evidence->big_ping == DOCTOR_NO && evidence->server_ping == DOCTOR_YES) {
    if(evidence->path_mtu >= IPV4_MIN_MTU && evidence->path_mtu < FULL_PACKET) {
      doctor_fail(finding, DOCTOR_CLASS_NETWORK,
                  "packets of %u bytes vanish on the way, those of %u get through: an MTU "
                  "hole",
                  FULL_PACKET, evidence->path_mtu);
    } else {
      doctor_fail(finding, DOCTOR_CLASS_NETWORK,
                  "packets of %u bytes vanish on the way, small ones get through: an MTU "
                  "hole",
                  FULL_PACKET);
    }
    doctor_remedy(finding, "put the MTU right between here and the server (tunnels, VLANs, jumbo frames on one side)");
  } else {
    doctor_unseen(finding, "without an answer to pings its MTU cannot be measured");
  }
}

/* Fetching ------------------------------------------------------------------------------------------------------- */

static void say_whole(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  doctor_ok(finding, "%ju bytes in %ju.%03ju s", evidence->fetch_bytes, evidence->fetch_ms / 1000U,
            evidence->fetch_ms % 1000U);
  if(is_tftp(evidence)) {
    doctor_append(finding->text, sizeof(finding->text), ", %u retransmissions", evidence->retransmissions);
  }
}

static void judge_silence(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  bool closed = evidence->fetch == DOCTOR_FETCH_PORT_CLOSED;
  const char *service = is_tftp(evidence) ? "TFTP" : "HTTP";
  bool reached = evidence->server_ping == DOCTOR_YES || evidence->server_arp == DOCTOR_YES;
  doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER,
              closed    ? "the server is there, but no %s server runs on it"
              : reached ? "the server is there, but its %s does not answer"
                        : "no answer of the server's %s",
              service);
  if(is_tftp(evidence)) {
    doctor_remedy(finding, "%s",
                  closed ? "start the TFTP server"
                         : "let UDP port 69, and the ports above 1023 that answers come from, through "
                           "the firewalls, or start the TFTP server");
  } else {
    doctor_remedy(finding, "%s",
                  closed ? "start the HTTP server, or put the URL's port right"
                         : "let the URL's TCP port through the firewalls, or start the HTTP server");
  }
}

void doctor_judge_fetch(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  switch(evidence->fetch) {
  case DOCTOR_FETCH_WHOLE:
    say_whole(evidence, finding);
    return;
  case DOCTOR_FETCH_NOT_FOUND:
    doctor_fail(finding, DOCTOR_CLASS_NOT_FOUND, "the server has no such file: %s", evidence->url);
    doctor_remedy(finding, "put the file there, or its name right (DHCP's filename; upper and lower case count)");
    return;
  case DOCTOR_FETCH_REFUSED:
    doctor_fail(finding, DOCTOR_CLASS_NETWORK, "the server refuses %s: %s %u %s", evidence->url,
                is_tftp(evidence) ? "error" : "status", evidence->fetch_code, evidence->fetch_text);
    doctor_remedy(finding, "look at the server's log, and at the rights of the file there");
    return;
  case DOCTOR_FETCH_NO_ANSWER:
  case DOCTOR_FETCH_PORT_CLOSED:
    judge_silence(evidence, finding);
    return;
  case DOCTOR_FETCH_STOPPED:
    doctor_fail(finding, DOCTOR_CLASS_NO_ANSWER, "it stops after %ju bytes, and nothing more comes",
                evidence->fetch_bytes);
    doctor_remedy(finding, "look for a firewall that forgets the connection, a bad cable, or an MTU hole on the way");
    return;
  case DOCTOR_FETCH_NO_NAME:
    doctor_fail(finding, DOCTOR_CLASS_NOT_FOUND, "the name of the server is not found: %s: %s", evidence->url,
                evidence->fetch_text);
    doctor_remedy(finding, "put the name into DNS, the DNS server into DHCP (option 6), or an address into the URL");
    return;
  case DOCTOR_FETCH_TOO_LARGE:
    doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "the file does not fit: it has %ju bytes", evidence->fetch_bytes);
    doctor_remedy(finding, "give the machine more memory, or boot a smaller file");
    return;
  case DOCTOR_FETCH_UNSUPPORTED:
    doctor_unseen(finding, "%s cannot be fetched here: %s", evidence->url,
                  evidence->fetch_text[0] ? evidence->fetch_text : "the firmware has no part for it");
    return;
  case DOCTOR_FETCH_UNASKED:
    break;
  }
  doctor_unseen(finding, "nothing was fetched");
}

/* The file itself ------------------------------------------------------------------------------------------------ */

static const char *machine_name(uint16_t machine) {
  /* Microsoft PE/COFF specification, 3.3.1, as far as UEFI boots on it (UEFI 2.10, 2.1.1) */
  static const struct {
    uint16_t machine;
    const char *name;
  } names[] = {{0x014C, "IA32"},   {0x8664, "x86-64"},  {0xAA64, "AArch64"},   {0x01C2, "ARM"},
               {0x5064, "RISC-V"}, {0x0200, "Itanium"}, {0x6264, "LoongArch"}, {0x0EBC, "EFI byte code"}};
  for(size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if(names[i].machine == machine) {
      return names[i].name;
    }
  }
  return "an unknown machine";
}

void doctor_judge_image(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  switch(evidence->file) {
  case DOCTOR_FILE_IMAGE:
    doctor_ok(finding, "an EFI application for %s, %s", machine_name(evidence->file_machine),
              evidence->file_signed == DOCTOR_YES ? "signed" : "not signed");
    return;
  case DOCTOR_FILE_OTHER_MACHINE:
    doctor_fail(finding, DOCTOR_CLASS_IMAGE, "the boot file is for %s, and this machine is %s",
                machine_name(evidence->file_machine), machine_name(evidence->own_machine));
    doctor_remedy(finding, "let the DHCP server choose the file by the client's architecture (option 93)");
    return;
  case DOCTOR_FILE_NO_APPLICATION:
    doctor_fail(finding, DOCTOR_CLASS_IMAGE, "the boot file is an EFI driver, and no application");
    doctor_remedy(finding, "name a boot loader, a kernel or another EFI application");
    return;
  case DOCTOR_FILE_NO_IMAGE:
    doctor_fail(finding, DOCTOR_CLASS_IMAGE, "the boot file is no EFI image%s",
                is_tftp(evidence) ? ": a loader for BIOS, a script or a kernel of another kind" : "");
    doctor_remedy(finding, "name an EFI application for UEFI clients (DHCP option 93 tells them from BIOS)");
    return;
  case DOCTOR_FILE_EMPTY:
    doctor_fail(finding, DOCTOR_CLASS_IMAGE, "the boot file is empty");
    doctor_remedy(finding, "put it on the server again");
    return;
  case DOCTOR_FILE_UNASKED:
    break;
  }
  doctor_unseen(finding, "it was not looked at");
}

void doctor_judge_secure(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  const char *secure = evidence->secure_boot == DOCTOR_YES  ? "Secure Boot is on"
                       : evidence->secure_boot == DOCTOR_NO ? "Secure Boot is off"
                                                            : "whether Secure Boot is on is not known";
  switch(evidence->load) {
  case DOCTOR_LOAD_ACCEPTED:
    doctor_ok(finding, "the firmware would start it; %s", secure);
    return;
  case DOCTOR_LOAD_REFUSED:
    doctor_fail(finding, DOCTOR_CLASS_SECURITY, "Secure Boot refuses the boot file, which is %s",
                evidence->file_signed == DOCTOR_YES ? "signed with a key that is not in db, or is in dbx"
                                                    : "not signed");
    doctor_remedy(finding, "have it signed with a key that this machine trusts, boot by shim, or enroll its key");
    return;
  case DOCTOR_LOAD_FAILED:
    doctor_fail(finding, DOCTOR_CLASS_IMAGE, "the firmware cannot load the boot file, though it looks like an image");
    doctor_remedy(finding, "compare it with the original: it may be cut short or damaged on the server");
    return;
  case DOCTOR_LOAD_UNASKED:
    break;
  }
  doctor_unseen(finding, "the firmware was not asked; %s", secure);
}

void doctor_judge_ipv6(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->router6 != DOCTOR_YES && evidence->dhcp6 != DOCTOR_YES) {
    doctor_unseen(finding, "no router and no DHCPv6 server in %u s", evidence->listened_s);
    return;
  }
  doctor_ok(finding, "%s%s%s", evidence->router6 == DOCTOR_YES ? "a router" : "",
            evidence->router6 == DOCTOR_YES && evidence->dhcp6 == DOCTOR_YES ? " and " : "",
            evidence->dhcp6 == DOCTOR_YES ? "a DHCPv6 server" : "");
  if(evidence->url6[0]) {
    doctor_append(finding->text, sizeof(finding->text), ", boot file %s", evidence->url6);
  }
}
