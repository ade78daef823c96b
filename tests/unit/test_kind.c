/* test_kind.c - tests of what a file is by its content, and of the packets that PXE keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "stage/bootp.h"
#include "stage/kind.h"

#define SIZE 0x9000U

static uint8_t image[SIZE];

static void put16(size_t at, uint32_t value) {
  image[at] = (uint8_t)value;
  image[at + 1] = (uint8_t)(value >> 8);
}

static void put32(size_t at, uint32_t value) {
  put16(at, value);
  put16(at + 2, value >> 16);
}

/* Looks at the first `size` bytes in memory that ends there, so that the sanitizer sees a byte too many. */
static struct kind_found look(size_t size) {
  struct kind_found found;
  uint8_t *exact = malloc(size ? size : 1U);
  assert_non_null(exact);
  memcpy(exact, image, size);
  kind_of(exact, size, KIND_MACHINE_X64, &found);
  free(exact);
  return found;
}

static void make_pe(uint32_t machine, uint32_t subsystem) {
  memset(image, 0, sizeof(image));
  memcpy(image, "MZ", 2);
  put32(0x3C, 0x80);
  memcpy(image + 0x80, "PE\0\0", 4);
  put16(0x84, machine);
  put16(0x86, 2);    /* sections                    */
  put16(0x94, 0xF0); /* size of the optional header */
  put16(0x98 + 68, subsystem);
  put32(0x188 + 16, 0x200);
  put32(0x188 + 20, 0x400);
  put32(0x188 + 40 + 16, 0x100);
  put32(0x188 + 40 + 20, 0x600);
}

static void test_pe(void **state) {
  (void)state;
  make_pe(KIND_MACHINE_X64, 10);
  struct kind_found found = look(0x700);
  assert_int_equal(found.kind, KIND_EFI);
  assert_int_equal(found.needs, 0x700);
  assert_string_equal(kind_refusal(found.kind), "");
  for(size_t size = 0; size < 0x700; size++) { /* cut anywhere: none of it is called whole */
    found = look(size);
    assert_true(found.kind != KIND_EFI || found.needs > size);
  }
  make_pe(KIND_MACHINE_ARM64, 10);
  assert_int_equal(look(0x700).kind, KIND_EFI_OTHER);
  assert_string_equal(kind_machine_name(look(0x700).machine), "ARM64");
  make_pe(KIND_MACHINE_X64, 11);
  assert_int_equal(look(0x700).kind, KIND_EFI_DRIVER);
  make_pe(KIND_MACHINE_X64, 3);
  assert_int_equal(look(0x700).kind, KIND_PE);
  put32(0x3C, 0xFFFFFFF0U); /* a signature beyond everything */
  assert_int_equal(look(0x700).kind, KIND_UNKNOWN);
}

static void test_disks(void **state) {
  (void)state;
  memset(image, 0, sizeof(image));
  image[0] = 0xEB;
  put16(11, 512);
  image[13] = 1;
  image[16] = 2;
  put16(19, 16);
  image[510] = 0x55;
  image[511] = 0xAA;
  assert_int_equal(look(SIZE).kind, KIND_DISK);
  assert_int_equal(look(SIZE).needs, 16U * 512U);
  image[13] = 3; /* no FAT then, nor a partition */
  assert_int_equal(look(SIZE).kind, KIND_UNKNOWN);
  image[446 + 4] = 0xEF;
  put32(446 + 8, 8);
  put32(446 + 12, 100);
  assert_int_equal(look(SIZE).kind, KIND_DISK);
  assert_int_equal(look(SIZE).needs, 108U * 512U);
  memcpy(image + 512, "EFI PART", 8);
  put32(512 + 32, 0x3F);
  assert_int_equal(look(SIZE).needs, 0x40U * 512U);
  memset(image + 512 + 32, 0xFF, 8);
  assert_true(look(SIZE).needs == UINT64_MAX);
  memcpy(image + 0x8000, "\1CD001", 6);
  put32(0x8000 + 80, 20);
  assert_int_equal(look(SIZE).kind, KIND_CD);
  assert_int_equal(look(SIZE).needs, 20U * 2048U);
}

static void test_others(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    enum kind kind;
  } rows[] = {{"\177ELF\2", KIND_ELF},
              {"\037\213\010", KIND_COMPRESSED},
              {"\050\265\057\375", KIND_COMPRESSED},
              {"#!ipxe", KIND_SCRIPT},
              {"<html>", KIND_TEXT},
              {"BZh9", KIND_COMPRESSED},
              {"whatever", KIND_UNKNOWN}};
  for(size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    memset(image, 0, sizeof(image));
    memcpy(image, rows[i].bytes, strlen(rows[i].bytes));
    assert_int_equal(look(1024).kind, rows[i].kind);
    assert_true(strlen(kind_refusal(rows[i].kind)) > 0);
  }
  memset(image, 0, sizeof(image));
  memcpy(image + 0x202, "HdrS", 4);
  assert_int_equal(look(1024).kind, KIND_OLD_LINUX);
  assert_int_equal(look(0).kind, KIND_EMPTY);
}

/* Packets -------------------------------------------------------------------------------------------------------- */

static void test_ack(void **state) {
  (void)state;
  static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
  const struct net_handoff_lease lease = {.address = {10, 0, 0, 5},
                                          .mask = {255, 255, 255, 0},
                                          .gateway = {10, 0, 0, 1},
                                          .server = {10, 0, 0, 9},
                                          .dns = {{10, 0, 0, 3}},
                                          .seconds = 3600};
  uint8_t packet[BOOTP_PACKET_SIZE];
  char url[URL_TEXT_SIZE];
  struct net_handoff_lease back;
  memset(&back, 0, sizeof(back));
  bootp_ack(packet, &lease, mac, 0x0A000002U, "boot/a b.efi");
  assert_memory_equal(packet + 16, lease.address, 4);
  assert_memory_equal(packet + 20, "\12\0\0\2", 4);
  assert_memory_equal(packet + 28, mac, 6);
  assert_string_equal((char *)packet + 108, "boot/a b.efi");
  assert_true(bootp_url(packet, BOOTP_PACKET_SIZE, url));
  assert_string_equal(url, "tftp://10.0.0.2/boot/a%20b.efi");
  bootp_lease(packet, BOOTP_PACKET_SIZE, &back);
  assert_memory_equal(back.mask, lease.mask, 4);
  assert_memory_equal(back.gateway, lease.gateway, 4);
  assert_memory_equal(back.server, lease.server, 4);
  assert_memory_equal(back.dns[0], lease.dns[0], 4);
  assert_int_equal(back.seconds, 3600);

  char longer[200];
  memset(longer, 'x', sizeof(longer));
  longer[199] = '\0';
  bootp_ack(packet, &lease, mac, 0x0A000002U, longer);
  assert_int_equal(packet[108], 0);
  assert_true(bootp_url(packet, BOOTP_PACKET_SIZE, url));
  assert_int_equal(strlen(url), strlen("tftp://10.0.0.2/") + 199U);

  bootp_ack(packet, &lease, mac, 0x0A000002U, "http://10.0.0.4/k.efi");
  assert_true(bootp_url(packet, BOOTP_PACKET_SIZE, url));
  assert_string_equal(url, "http://10.0.0.4/k.efi");
  bootp_discover(packet, mac);
  assert_false(bootp_url(packet, BOOTP_PACKET_SIZE, url));
  memset(packet, 0xFF, sizeof(packet));
  assert_false(bootp_url(packet, BOOTP_PACKET_SIZE, url));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pe),
      cmocka_unit_test(test_disks),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_ack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
