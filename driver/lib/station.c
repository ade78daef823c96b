/* station.c - which addresses a single station can have, and who else claims ours. Pure C. */
#include "station.h"

#include <string.h>

#include "net/netdevice.h"

#define PREFIX_31 0xFFFFFFFEU

const char *station_ipv4_fault(uint32_t address, uint32_t mask) {
  if(address == 0) {
    return "the address of nobody";
  }
  if(address == UINT32_MAX) {
    return "the broadcast address";
  }
  if(address >> 24 == 0) {
    return "in 0.0.0.0/8, which no station can have";
  }
  if(address >> 24 == 127) {
    return "a loopback address, which never leaves a machine";
  }
  if(address >> 28 == 0xE) {
    return "a multicast address";
  }
  if(address >> 28 == 0xF) {
    return "in 240.0.0.0/4, which is reserved";
  }
  if(mask != 0 && mask < PREFIX_31 && (address & ~mask) == 0) {
    return "the network's own address";
  }
  if(mask != 0 && mask < PREFIX_31 && (address | mask) == UINT32_MAX) {
    return "the network's broadcast address";
  }
  return NULL;
}

const char *station_peer_fault(const struct inet_host *host, uint32_t address) {
  bool near = ((address ^ host->address) & host->mask) == 0;
  if(host->address != 0 && address == host->address) {
    return "our own address";
  }
  return station_ipv4_fault(address, near ? host->mask : 0);
}

const char *station_mac_fault(const uint8_t mac[6]) {
  if(netdev_mac_valid(mac)) {
    return NULL;
  }
  return mac[0] & 1U ? "a group's address" : "all zeroes";
}

bool station_hear(struct station_claim *claim, const struct inet_packet *packet) {
  bool arp = packet->kind == INET_ARP_REQUEST || packet->kind == INET_ARP_REPLY;
  if(!arp || claim->address == 0 || memcmp(packet->source_mac, claim->mac, sizeof(claim->mac)) == 0) {
    return false;
  }
  /* RFC 5227 2.1.1: its sender has it, or it is a probe (from nobody) for it while we probe as well */
  bool has = packet->source == claim->address;
  bool wants = claim->probing && packet->kind == INET_ARP_REQUEST && packet->source == 0 &&
               packet->destination == claim->address;
  if(!has && !wants) {
    return false;
  }
  if(claim->conflicts == 0) {
    memcpy(claim->rival, packet->source_mac, sizeof(claim->rival));
  }
  claim->conflicts += claim->conflicts < UINT32_MAX;
  return true;
}
