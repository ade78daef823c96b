/* cmd_machine.h - what the tests of netdiag's commands share: a machine with NICs whose Shell runs the real program,
 * and somebody at the other end of the wire. */
#ifndef CMD_MACHINE_H
#define CMD_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "programs.h"

/* Machine -------------------------------------------------------------------------------------------------------- */

/* A machine with one NIC that nobody holds, at 00:02.0 with the MAC address 52:54:00:a1:b2:c3, and a volume with
 * netdiag.efi and e1000.efi. */
struct firmware_nic *cmd_begin(uint16_t device_id);
struct firmware_nic *cmd_begin_with(const struct sim_config *config);

/* One more NIC; its MAC address ends with `last`. */
struct firmware_nic *cmd_add_nic(uint16_t device_id, uint8_t last);

/* Unloads e1000.efi if it is resident; then nothing may be left. */
void cmd_end(void);

/* Ends it as it is: after ExitBootServices, or when something was left on purpose. */
void cmd_power_off(void);

/* Takes e1000.efi off the volume. */
void cmd_without_driver(void);

/* e1000.efi is loaded and holds all NICs, and a network stack runs on each. */
void cmd_resident(struct stack_config *config);

/* Whose the NIC is: nobody's, our resident driver's with the stack on it, or another vendor's, with the stack, too. */
enum cmd_place { OWN, SHARED, FOREIGN, WHERES };
void cmd_place(enum cmd_place place, struct firmware_nic *nic, struct stack_config *config);

/* Runs "netdiag LINE" in the Shell and returns what it exits with. Whatever it allocated, opened or created must be
 * gone afterwards, the TPL as before, and no simulator may complain. */
EFI_STATUS cmd(const char *line);

/* The same, but e1000.efi may be loaded or a handoff armed by it. */
EFI_STATUS cmd_that_stays(const char *line);

/* What the last command said --------------------------------------------------------------------------------------- */

#define assert_said(text)     cmd_assert_said(text, true, __FILE__, __LINE__)
#define assert_not_said(text) cmd_assert_said(text, false, __FILE__, __LINE__)
void cmd_assert_said(const char *text, bool wanted, const char *file, int line);

/* How often. */
size_t cmd_times_said(const char *text);

/* The number behind the first `text`, blanks skipped; fails without one. */
uint64_t cmd_number_after(const char *text);

/* The first number that stands before `text`: "3 received" */
uint64_t cmd_number_before(const char *text);

/* Other end -------------------------------------------------------------------------------------------------------- */

struct peer;

/* A ping that the peer saw, and what its answer will be. */
struct echo {
  uint8_t frame[1514]; /* the answer: to be changed at will; checksums are put right before it is sent */
  size_t length;
  uint32_t number; /* from 1: of all pings that came */
  uint16_t sequence;
  size_t data_length;
  UINT64 delay_us;
  uint32_t copies; /* 1 */
};

struct peer {
  struct firmware_nic *nic;
  uint8_t mac[6];
  uint32_t address;
  UINT64 delay_us;                                   /* before any answer                                     */
  uint32_t arp_ignored;                              /* so many requests are not answered                     */
  void (*on_echo)(struct peer *peer, struct echo *); /* may change the answer; copies = 0 for none            */
  void (*on_test)(struct peer *peer, struct echo *); /* the same for test frames; sequence: the low 16 bits   */
  bool echoes_tests;
  uint32_t arp_requests; /* for the address of the peer */
  UINT64 first_arp_us;
  uint32_t arp_target;   /* asked for last, whoever has it */
  uint32_t arp_replies;  /* of ours that came                    */
  uint32_t echoes;       /* pings that came                      */
  uint32_t echo_replies; /* answers to pings of the peer's       */
  uint32_t tests;        /* test frames that came, and answers   */
  uint32_t test_replies;
  uint8_t last[1514]; /* the last frame that came, whatever it was */
  size_t last_length;
  UINT64 last_at_us;
  UINT64 first_echo_us;
  UINT64 last_echo_us;
};

#define PEER_ADDRESS 0x0A000002U /* 10.0.0.2 */
extern const uint8_t peer_mac[6];

/* At the wire of this NIC, answering ARP and pings for 10.0.0.2 and test frames after 100 us. */
void peer_begin(struct peer *peer, struct firmware_nic *nic);

/* Frames that a peer may send on its own. */
size_t peer_arp_request(const struct peer *peer, uint8_t *frame, uint32_t target);
size_t peer_ping(const struct peer *peer, uint8_t *frame, const uint8_t to_mac[6], uint32_t to, uint16_t sequence,
                 size_t data_length);

/* A test frame (driver/lib/testframe.h) that asks for an answer. */
size_t peer_test_frame(const struct peer *peer, uint8_t *frame, const uint8_t to[6], size_t length, uint32_t number);

/* Puts both checksums of an ICMP frame right. */
void peer_seal(uint8_t *frame);

/* An IPv4 address in a frame: of the source at 26, of the destination at 30. */
void peer_put32(uint8_t *at, uint32_t value);

#endif
