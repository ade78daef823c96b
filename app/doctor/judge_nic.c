/* judge_nic.c - checks of the machine's side of the cable: NIC, driver, NVM, MAC, memory, link, firmware. Pure C. */
#include <string.h>

#include "finding.h"

#define LEAST_FREE_BYTES (64U << 20) /* a kernel with its initial RAM disk needs as much */
#define MIB              (1U << 20)
#define DROPS_THAT_FLAP  2U
#define SPEED_FAST       100U
#define MULTICAST        0x01U

/* Driver --------------------------------------------------------------------------------------------------------- */

void doctor_judge_nic(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->nics == 0) {
    doctor_fail(finding, DOCTOR_CLASS_NOT_FOUND, "no network controller on the PCI bus");
    doctor_remedy(finding, "switch it on in the firmware's setup, or look whether the card sits in its slot");
  } else if(evidence->supported == DOCTOR_NO && evidence->holder == DOCTOR_NOBODY) {
    struct doctor_stranger stranger;
    if(doctor_find_stranger(evidence->vendor_id, evidence->device_id, &stranger)) {
      doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "no driver here takes the %s (%04x:%04x) at %s: %s", stranger.name,
                  evidence->vendor_id, evidence->device_id, evidence->location, stranger.reason);
    } else {
      doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "no driver here knows %04x:%04x at %s", evidence->vendor_id,
                  evidence->device_id, evidence->location);
    }
    doctor_remedy(finding, "load its vendor's UEFI driver, or use another NIC");
  } else {
    doctor_ok(finding, "%s %s (%04x:%04x) at %s", evidence->nic, evidence->model, evidence->vendor_id,
              evidence->device_id, evidence->location);
  }
}

void doctor_judge_driver(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  const char *rom = evidence->option_rom == DOCTOR_YES ? ", from an option ROM" : "";
  const struct doctor_defect *defect = doctor_find_defect(evidence->holder_name);
  if(evidence->gone == DOCTOR_YES) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "the NIC stopped answering while it was looked at");
    doctor_remedy(finding, "look whether the card sits in its slot; if it does, it is broken or loses its power");
    return;
  }
  if(evidence->started == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "netdiag's driver does not start on it: %s", evidence->start_error);
    doctor_remedy(finding, "cut the machine's power for a minute; if that does not help, replace the NIC");
    return;
  }
  switch(evidence->holder) {
  case DOCTOR_NOBODY:
    doctor_warn(finding, "no driver of the firmware holds it: netdiag drives it itself");
    doctor_remedy(finding,
                  "to boot from it, load %s (as Driver####, so that it is there at every start) or use "
                  "'netdiag boot'",
                  evidence->driver_file[0] ? evidence->driver_file : "a driver");
    finding->weight = DOCTOR_MACHINE;
    return;
  case DOCTOR_OURS:
    doctor_ok(finding, "'%s' holds it%s", evidence->holder_name, rom);
    return;
  case DOCTOR_FOREIGN:
    break;
  }
  if(evidence->holder_snp == DOCTOR_NO && evidence->lent != DOCTOR_YES) {
    doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "'%s' holds it%s and offers no network interface (SNP)",
                evidence->holder_name, rom);
    doctor_remedy(finding, "replace that driver; --take looks at the rest without it");
  } else if(defect && (!defect->tagged || evidence->vlan_count > 0)) {
    doctor_warn(finding, "'%s' holds it%s: %s", evidence->holder_name, rom, defect->text);
    doctor_remedy(finding, "%s", defect->remedy);
  } else {
    doctor_ok(finding, "'%s' holds it%s%s", evidence->holder_name, rom,
              evidence->lent == DOCTOR_YES ? "; taken from it for this" : "; what its SNP and the stack show");
  }
}

/* Hardware ------------------------------------------------------------------------------------------------------- */

void doctor_judge_nvm(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->nvm == DOCTOR_UNASKED) {
    doctor_unseen(finding, "the driver that holds the NIC shows none; --take looks");
  } else if(evidence->nvm == DOCTOR_NO) {
    doctor_ok(finding, "this NIC has none");
  } else if(evidence->nvm_good == DOCTOR_UNASKED) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "it cannot be read");
    doctor_remedy(finding, "cut the machine's power for a minute; if that does not help, replace the NIC");
  } else if(evidence->nvm_good == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE,
                "its checksum is 0x%04x and should be 0xbaba, so its contents are "
                "damaged and other drivers refuse the NIC",
                evidence->nvm_sum);
    doctor_remedy(finding, "write the vendor's image again ('netdiag info --nvm' shows it), or replace the NIC");
  } else {
    doctor_ok(finding, "its checksum is right");
  }
}

void doctor_judge_mac(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  static const uint8_t none[6];
  char mac[DOCTOR_ADDRESS_SIZE];
  char permanent[DOCTOR_ADDRESS_SIZE];
  (void)doctor_mac(evidence->mac, mac);
  if(evidence->mac_seen != DOCTOR_YES) {
    doctor_unseen(finding, "nothing shows it without taking the NIC");
  } else if((evidence->mac[0] & MULTICAST) != 0 || memcmp(evidence->mac, none, sizeof(none)) == 0) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "%s is an address that no station can have", mac);
    doctor_remedy(finding, "mend the NVM, or set an address in the firmware's setup");
  } else if(evidence->mac_twin[0]) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE, "%s is also the address of %s in this machine", mac, evidence->mac_twin);
    doctor_remedy(finding, "give one of the two another address: in a virtual machine's settings, or in the NVM");
  } else if(evidence->own_mac_heard > 0) {
    doctor_fail(finding, DOCTOR_CLASS_NETWORK,
                "another station on this wire has the same address: %u frames came in "
                "from %s that this NIC did not send",
                evidence->own_mac_heard, mac);
    doctor_remedy(finding, "give one of the two another address, often a copied virtual machine");
  } else if(memcmp(evidence->mac, evidence->permanent_mac, sizeof(none)) != 0 &&
            memcmp(evidence->permanent_mac, none, sizeof(none)) != 0) {
    doctor_ok(finding, "%s, set by software; the NIC's own is %s", mac, doctor_mac(evidence->permanent_mac, permanent));
  } else {
    doctor_ok(finding, "%s, and no other NIC here has it", mac);
  }
}

void doctor_judge_memory(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->bus_master == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_DEVICE,
                "the NIC may not be bus master, so it can neither fetch nor store a frame");
    doctor_remedy(finding, "look in the firmware's setup for what switches bus mastering or this slot off");
  } else if(evidence->free_bytes == 0) {
    doctor_unseen(finding, "the firmware shows no memory map");
  } else if(evidence->largest_bytes < LEAST_FREE_BYTES) {
    doctor_warn(finding, "%ju MiB of memory are free, %ju MiB of them in one piece", evidence->free_bytes / MIB,
                evidence->largest_bytes / MIB);
    doctor_remedy(finding, "a larger boot file will not fit; look for what takes the memory");
  } else {
    doctor_ok(finding, "%ju MiB free, %ju MiB in one piece", evidence->free_bytes / MIB, evidence->largest_bytes / MIB);
    if(evidence->dma_bits > 0) {
      doctor_append(finding->text, sizeof(finding->text), "; DMA with %u address bits", evidence->dma_bits);
    }
  }
}

/* Link ----------------------------------------------------------------------------------------------------------- */

static void say_link(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->speed_mbps > 0) {
    doctor_append(finding->text, sizeof(finding->text), "up, %u Mb/s %s duplex", evidence->speed_mbps,
                  evidence->full_duplex == DOCTOR_NO ? "half" : "full");
  } else {
    doctor_append(finding->text, sizeof(finding->text), "up, speed not told");
  }
  if(evidence->partner_negotiates == DOCTOR_YES && evidence->partner_offers[0]) {
    doctor_append(finding->text, sizeof(finding->text), "; the partner offers %s", evidence->partner_offers);
  }
}

void doctor_judge_link(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->link_drops >= DROPS_THAT_FLAP) {
    doctor_fail(finding, DOCTOR_CLASS_NO_LINK, "it flaps: it went down %u times while netdiag looked",
                evidence->link_drops);
    doctor_remedy(finding, "replace the cable, then try another switch port; green Ethernet (EEE) may also do it");
  } else if(evidence->link == DOCTOR_NO && evidence->link_drops > 0) {
    doctor_fail(finding, DOCTOR_CLASS_NO_LINK, "it was up, and is down now");
    doctor_remedy(finding, "check the cable and the switch port");
  } else if(evidence->link == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_NO_LINK, "no link in %u s: no cable, or a dead port at its other end",
                evidence->link_wait_s);
    doctor_remedy(finding, "plug the cable in, try another one and another switch port");
  } else if(evidence->link == DOCTOR_UNASKED) {
    doctor_unseen(finding, "the driver that holds the NIC does not tell");
  } else if(evidence->link_drops > 0) {
    doctor_warn(finding, "it went down once while netdiag looked");
    doctor_remedy(finding, "if it happens again, replace the cable or try another switch port");
  } else if(evidence->full_duplex == DOCTOR_NO && evidence->speed_mbps >= SPEED_FAST) {
    doctor_warn(finding, "up, %u Mb/s half duplex%s", evidence->speed_mbps,
                evidence->partner_negotiates == DOCTOR_NO ? ": the partner does not negotiate" : "");
    doctor_remedy(finding, "switch autonegotiation on at the other end; a duplex mismatch loses frames under load");
  } else {
    doctor_ok(finding, "%s", "");
    say_link(evidence, finding);
  }
}

/* The firmware's own network stack ------------------------------------------------------------------------------- */

static void say_part(struct doctor_finding *finding, enum doctor_answer has, const char *name) {
  if(has == DOCTOR_YES) {
    doctor_append(finding->text, sizeof(finding->text), " %s", name);
  }
}

void doctor_judge_stack(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->stack_seen != DOCTOR_YES) {
    doctor_unseen(finding, "without a driver on the NIC there is no network stack to look at");
  } else if(evidence->stack_ip4 != DOCTOR_YES && evidence->stack_idle == DOCTOR_YES) {
    doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "it has a network stack, but nobody connected it to this NIC");
    doctor_remedy(finding, "'connect -r' in the Shell starts it on every NIC");
  } else if(evidence->stack_ip4 != DOCTOR_YES && evidence->rng == DOCTOR_NO) {
    doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED,
                "it has no source of random numbers, and without one it starts no "
                "network stack");
    doctor_remedy(finding, "give it one: %s", doctor_randomness);
  } else if(evidence->stack_ip4 != DOCTOR_YES) {
    doctor_fail(finding, DOCTOR_CLASS_UNSUPPORTED, "it has no IPv4 stack on this NIC");
    doctor_remedy(finding, "switch the network stack on in the firmware's setup");
  } else if(evidence->stack_pxe != DOCTOR_YES && evidence->stack_http != DOCTOR_YES) {
    doctor_warn(finding, "it has an IPv4 stack, but neither PXE nor HTTP boot on this NIC");
    doctor_remedy(finding, "switch PXE or HTTP boot on in its setup");
    finding->weight = DOCTOR_MACHINE;
  } else {
    doctor_ok(finding, "on this NIC:");
    say_part(finding, evidence->stack_mnp, "MNP");
    say_part(finding, evidence->stack_ip4, "IPv4");
    say_part(finding, evidence->stack_tftp, "TFTP");
    say_part(finding, evidence->stack_pxe, "PXE");
    say_part(finding, evidence->stack_http, "HTTP");
    doctor_append(finding->text, sizeof(finding->text), "; random numbers: %s",
                  evidence->rng == DOCTOR_YES ? "yes" : "no");
  }
}

void doctor_judge_order(const struct doctor_evidence *evidence, struct doctor_finding *finding) {
  if(evidence->boot_order == DOCTOR_UNASKED) {
    doctor_unseen(finding, "it was not read");
  } else if(evidence->boot_place > 0) {
    doctor_ok(finding, "this NIC is number %u of %u in it", evidence->boot_place, evidence->boot_options);
  } else if(evidence->boot_entries > 0) {
    doctor_warn(finding, "the firmware has %u entries for this NIC, but none of them is in the boot order",
                evidence->boot_entries);
    doctor_remedy(finding, "add the network to the boot order in the firmware's setup ('bcfg boot dump' shows it)");
    finding->weight = DOCTOR_MACHINE;
  } else {
    doctor_warn(finding, "no entry of the boot order is for this NIC");
    doctor_remedy(finding, "switch network boot on in the firmware's setup, or start with 'netdiag boot'");
    finding->weight = DOCTOR_MACHINE;
  }
}
