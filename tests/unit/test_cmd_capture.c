/* test_cmd_capture.c - netdiag capture, and --capture of other commands: what is in the file, whatever the volume
 * does. */
#include "cmd_machine.h"

#include "pcapng_read.h"
#include "volume.h"

#define MS   1000U
#define NOON 1795696496ULL /* what the machine's clock says: 2026-11-26 12:34:56 */

static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static const uint8_t our_mac[6] = {0x52, 0x54, 0x00, 0xA1, 0xB2, 0xC3};
static const uint8_t other_mac[6] = {0x02, 0x99, 0x99, 0x99, 0x99, 0x99};

static struct peer peer;
static struct stack_config stack;
static struct read_file file;

static struct firmware_nic *begin(bool shared) {
  struct firmware_nic *nic = cmd_begin(shared ? SIM_82540EM : SIM_82574L);
  peer_begin(&peer, nic);
  stack = (struct stack_config){.address = 0x0A000001U, .mask = 0xFFFFFF00U};
  if(shared) {
    cmd_resident(&stack);
  }
  return nic;
}

static void end(void) {
  assert_int_equal(volume_open_files(), 0);
  cmd_end();
}

/* Reads the file, which must be a valid one. */
static void read_back(const char *path) {
  size_t length;
  const uint8_t *bytes = volume_file(path, &length);
  assert_non_null(bytes);
  const char *wrong = read_capture(bytes, length, &file);
  if(wrong) {
    fail_msg("'%s', %zu bytes: %s", path, length, wrong);
  }
}

static uint64_t dropped_in_file(void) {
  uint64_t dropped = 0;
  for(uint32_t i = 0; i < file.frame_count; i++) {
    dropped += file.frames[i].dropped;
  }
  return dropped;
}

/* So many frames, each `gap_us` after the one before, from `delay_us` on: ARP, test frames for others, for us in
 * turn. */
static uint8_t sent[64][1514];
static size_t sent_length[64];

static void send_frames(uint32_t count, UINT64 delay_us, UINT64 gap_us) {
  for(uint32_t i = 0; i < count; i++) {
    uint8_t *frame = sent[i % 64U];
    size_t length;
    if(i % 3U == 0) {
      memset(frame, 0, 60);
      (void)peer_arp_request(&peer, frame, 0x0A000063U);
      length = 60;
    } else {
      length = peer_test_frame(&peer, frame, i % 3U == 1U ? other_mac : our_mac, 60U + i * 17U % 1400U, i);
      frame[19] = 9; /* of no kind that anybody answers */
    }
    sent_length[i % 64U] = length;
    wire_send(peer.nic, delay_us + i * gap_us, frame, length);
  }
}

/* What was sent ---------------------------------------------------------------------------------------------------- */

static void test_all_frames(void **state) {
  (void)state;
  begin(false);
  send_frames(30, 400U * MS, 2U * MS);
  assert_int_equal(cmd("capture all.pcapng -t 1"), EFI_SUCCESS);
  read_back("all.pcapng");
  assert_int_equal(file.frame_count, 30);
  for(uint32_t i = 0; i < 30; i++) {
    const struct read_frame *frame = &file.frames[i];
    assert_int_equal(frame->length, sent_length[i]);
    assert_int_equal(frame->captured, sent_length[i]);
    assert_memory_equal(frame->data, sent[i], sent_length[i]);
    assert_int_equal(frame->flags & 3U, 1);
    assert_true(i == 0 || frame->time_us >= file.frames[i - 1U].time_us);
    assert_in_range(frame->time_us / 1000000U, NOON, NOON + 2U);
  }
  UINT64 gap = file.frames[29].time_us - file.frames[0].time_us;
  assert_in_range(gap, 29U * 2U * MS - MS, 29U * 2U * MS + MS);
  assert_string_equal(file.name, "eth0");
  assert_string_equal(file.description, "82574L at 0000:00:02.0");
  assert_memory_equal(file.mac, our_mac, 6);
  assert_int_equal(file.speed, 1000000000ULL);
  assert_string_equal(file.filter, "");
  assert_int_equal(file.statistics, 1);
  assert_int_equal(file.counters[4], 30);
  assert_int_equal(file.counters[6], 30);
  assert_int_equal(file.counters[7], 0);
  assert_int_equal(file.counters[8], 30);
  assert_in_range(file.counters[3] - file.counters[2], 1000U * MS, 2000U * MS);
  assert_said("capture: 30 frames in 'all.pcapng'");
  assert_said("30 seen, 30 matched, 0 dropped");
  size_t length;
  (void)volume_file("all.pcapng", &length);
  assert_int_equal(cmd_number_after("in 'all.pcapng' ("), length);
  end();
}

/* Not promiscuous, what is for others does not come. */
static void test_not_promiscuous(void **state) {
  (void)state;
  begin(false);
  send_frames(30, 400U * MS, MS);
  assert_int_equal(cmd("capture few.pcapng -p -t 1"), EFI_SUCCESS);
  read_back("few.pcapng");
  assert_int_equal(file.frame_count, 20);
  for(uint32_t i = 0; i < 20; i++) {
    assert_memory_not_equal(file.frames[i].data, other_mac, 6);
  }
  end();
}

static void test_filter_and_count(void **state) {
  (void)state;
  begin(false);
  send_frames(60, 400U * MS, MS);
  assert_int_equal(cmd("capture fs0:\\arp.pcapng -c 4 -t 20 arp and not host 10.0.0.7"), EFI_SUCCESS);
  read_back("arp.pcapng");
  assert_int_equal(file.frame_count, 4);
  for(uint32_t i = 0; i < 4; i++) {
    assert_memory_equal(file.frames[i].data, sent[3 * i], sent_length[3 * i]);
  }
  assert_string_equal(file.filter, "arp and not host 10.0.0.7");
  assert_true(file.counters[4] >= 10);
  assert_int_equal(file.counters[6], 4);
  assert_said("Capturing on eth0 to 'fs0:\\arp.pcapng': arp and not host 10.0.0.7. Esc stops.");
  /* fewer than that */
  assert_int_equal(BS->Stall(200U * MS), EFI_SUCCESS);
  send_frames(6, 400U * MS, MS);
  assert_int_equal(cmd("capture arp.pcapng -c 4 -t 1 arp"), EFI_TIMEOUT);
  read_back("arp.pcapng");
  assert_int_equal(file.frame_count, 2);
  end();
}

static void test_snap(void **state) {
  (void)state;
  begin(false);
  send_frames(30, 400U * MS, MS);
  assert_int_equal(cmd("capture snap.pcapng -s 50 -c 30 -t 20"), EFI_SUCCESS);
  read_back("snap.pcapng");
  assert_int_equal(file.snap_length, 50);
  for(uint32_t i = 0; i < 30; i++) {
    assert_int_equal(file.frames[i].length, sent_length[i]);
    assert_int_equal(file.frames[i].captured, sent_length[i] < 50 ? sent_length[i] : 50);
    assert_memory_equal(file.frames[i].data, sent[i], file.frames[i].captured);
  }
  end();
}

static void pull(void *sim) {
  sim_knobs(sim)->gone = true;
}

/* The user ends it; a NIC that is gone does. Either way the file is whole. */
static void test_other_ends(void **state) {
  (void)state;
  begin(false);
  send_frames(30, 400U * MS, MS);
  console_press(firmware_now_us() + 1500U * MS, KEY_ESCAPE, 0);
  assert_int_equal(cmd("capture esc.pcapng"), EFI_SUCCESS);
  read_back("esc.pcapng");
  assert_int_equal(file.frame_count, 30);
  assert_int_equal(file.statistics, 1);
  end();

  begin(false);
  send_frames(30, 400U * MS, MS);
  programs_at(firmware_now_us() + 1500U * MS, pull, peer.nic->sim);
  assert_int_equal(cmd("capture gone.pcapng"), EFI_DEVICE_ERROR);
  read_back("gone.pcapng");
  assert_int_equal(file.frame_count, 30);
  assert_int_equal(file.statistics, 1);
  end();
}

/* Frames go on coming, on a console on which a character takes half a millisecond: after the count nothing is seen any
 * more, while the summary is printed and when all memory has been given back. */
static bool flooding;
static void flood(void *ctx) {
  uint8_t frame[60];
  memset(frame, 0, sizeof(frame));
  (void)peer_arp_request(&peer, frame, 0x0A000063U);
  wire_send(peer.nic, 10, frame, sizeof(frame));
  if(flooding) {
    programs_at(firmware_now_us() + MS, flood, ctx);
  }
}

static void test_flood(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    console_slow(500);
    volume_slow(50U * MS);
    flooding = true;
    flood(NULL);
    assert_int_equal(cmd("capture flood.pcapng -c 50"), EFI_SUCCESS);
    read_back("flood.pcapng");
    assert_int_equal(file.frame_count, 50);
    assert_int_equal(cmd_number_before("seen"), file.counters[4]);
    flooding = false;
    assert_int_equal(BS->Stall(100U * MS), EFI_SUCCESS);
    end();
  }
}

/* Beside the firmware's stack. */
static void test_shared(void **state) {
  (void)state;
  begin(true);
  send_frames(30, 400U * MS, MS);
  assert_int_equal(cmd("capture shared.pcapng -t 1"), EFI_SUCCESS);
  read_back("shared.pcapng");
  assert_int_equal(file.frame_count, 30);
  send_frames(30, 400U * MS, MS);
  assert_int_equal(cmd("capture shared.pcapng -p -t 1"), EFI_SUCCESS);
  read_back("shared.pcapng");
  assert_int_equal(file.frame_count, 20);
  assert_string_equal(file.description, "82540EM at 0000:00:02.0, shared with the firmware's stack by e1000");
  end();
}

/* Of other commands ------------------------------------------------------------------------------------------------ */

static UINTN on_wire;
static void count_echo(struct peer *host, struct echo *echo) {
  (void)host;
  on_wire += 1U + echo->copies;
}

static void test_of_other_commands(void **state) {
  (void)state;
  for(int shared = 0; shared < 2; shared++) {
    begin(shared);
    on_wire = 0;
    peer.on_echo = count_echo;
    peer.on_test = count_echo;
    assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 3 -i 50 --capture ping.pcapng"), EFI_SUCCESS);
    read_back("ping.pcapng");
    uint32_t echoes = 0;
    for(uint32_t i = 0; i < file.frame_count; i++) {
      const struct read_frame *frame = &file.frames[i];
      bool ours = memcmp(frame->data + 6, our_mac, 6) == 0;
      assert_int_equal(frame->flags & 3U, ours ? 2 : 1);
      echoes += frame->data[12] == 8 && frame->data[13] == 0;
    }
    assert_int_equal(echoes, 6);
    assert_int_equal(on_wire, 6);
    assert_said("3 packets transmitted, 3 received, ");
    assert_said("frames in 'ping.pcapng'");
    assert_int_equal(cmd("frames -s 60-63 -c 8 --capture frames.pcapng"), EFI_SUCCESS);
    read_back("frames.pcapng");
    assert_int_equal(file.frame_count, 16);
    assert_int_equal(on_wire, 22);
    assert_int_equal(cmd("echo -t 1 --capture echo.pcapng"), EFI_SUCCESS);
    read_back("echo.pcapng");
    assert_int_equal(file.frame_count, 0);
    assert_int_equal(file.interfaces, 1);
    assert_int_equal(cmd("arp 10.0.0.2 -c 1 -W 50 --capture arp.pcapng"), EFI_SUCCESS);
    read_back("arp.pcapng");
    assert_int_equal(file.frame_count, 2);
    assert_int_equal(cmd("route 10.0.0.2 --addr 10.0.0.1/24 --no-mtu --capture route.pcapng"), EFI_SUCCESS);
    read_back("route.pcapng");
    assert_in_range(file.frame_count, 3, 40);
    assert_int_equal(cmd("dhcp -t 1 --capture dhcp.pcapng"), EFI_TIMEOUT);
    read_back("dhcp.pcapng");
    assert_int_equal(file.frame_count, 1);
    assert_int_equal(file.frames[0].flags & 3U, 2);
    /* A file that cannot be written ends the command before anything is sent. */
    UINTN before = peer.echoes;
    assert_int_equal(cmd("ping 10.0.0.2 --addr 10.0.0.1/24 -c 3 -i 50 --capture no\\ping.pcapng"), EFI_NOT_FOUND);
    assert_int_equal(peer.echoes, before);
    end();
  }
}

/* Volumes ---------------------------------------------------------------------------------------------------------- */

static void test_where_to(void **state) {
  (void)state;
  static const char text[] = "no capture at all";
  begin(false);
  volume_add_folder("logs");
  volume_put("notes.txt", text, sizeof(text));
  volume_put("old.pcapng", "\n\r\r\n....................", 24);
  volume_put("kept.pcapng", "\n\r\r\n....................", 24);
  volume_protect("kept.pcapng");
  assert_int_equal(cmd("capture none\\x.pcapng -t 1"), EFI_NOT_FOUND);
  assert_said("cannot write 'none\\x.pcapng': Not Found: there is no such folder; 'mkdir' in the Shell makes one");
  assert_int_equal(cmd("capture fs7:\\x.pcapng -t 1"), EFI_NOT_FOUND);
  assert_said("'fs7:\\x.pcapng' leads to no volume: give a path such as fs0:\\capture.pcapng");
  assert_int_equal(cmd("capture logs -t 1"), EFI_ACCESS_DENIED);
  assert_said("'logs' is a folder: add a file name");
  assert_int_equal(cmd("capture notes.txt -t 1"), EFI_ACCESS_DENIED);
  assert_said("'notes.txt' is there already and is no capture, so it is not overwritten: give another name");
  size_t length;
  assert_memory_equal(volume_file("notes.txt", &length), text, sizeof(text));
  assert_int_equal(cmd("capture kept.pcapng -t 1"), EFI_ACCESS_DENIED);
  assert_said("the file may only be read; give another name");
  assert_int_equal(cmd("capture \"a*b\" -t 1"), EFI_INVALID_PARAMETER);
  assert_said("this is no name for a file");
  assert_int_equal(cmd("capture old.pcapng -t 1"), EFI_SUCCESS);
  read_back("old.pcapng");
  assert_int_equal(cmd("capture logs/x.pcapng -t 1"), EFI_SUCCESS);
  read_back("logs\\x.pcapng");
  volume_read_only(TRUE);
  assert_int_equal(cmd("capture y.pcapng -t 1"), EFI_WRITE_PROTECTED);
  assert_said("cannot write 'y.pcapng': Write Protected: the volume cannot be written");
  volume_read_only(FALSE);
  volume_room(0);
  assert_int_equal(cmd("capture y.pcapng -t 1"), EFI_VOLUME_FULL);
  assert_said("the volume is full; delete something");
  volume_room(10);
  assert_int_equal(cmd("capture y.pcapng -t 1"), EFI_VOLUME_FULL);
  assert_null(volume_file("y.pcapng", &length));
  end();
}

static void test_without_shell(void **state) {
  (void)state;
  static const CHAR16 line[] = L"netdiag.efi capture boot.pcapng -t 1";
  static const CHAR16 named[] = L"netdiag.efi capture fs0:\\boot.pcapng -t 1";
  begin(false);
  programs_without_shell();
  assert_int_equal(programs_boot("netdiag.efi", line, sizeof(line)), EFI_SUCCESS);
  read_back("boot.pcapng");
  assert_int_equal(programs_boot("netdiag.efi", named, sizeof(named)), EFI_NOT_FOUND);
  assert_said("'fs0:\\boot.pcapng' names a volume, and those names are the Shell's, which does not run");
  volume_without();
  assert_int_equal(programs_boot("netdiag.efi", line, sizeof(line)), EFI_NOT_FOUND);
  assert_said("there is no volume to write 'boot.pcapng' to");
  end();
}

/* Whenever the volume is full: a valid file, and every frame is in it or counted. */
static void test_full(void **state) {
  (void)state;
  for(UINT64 space = 300; space < 40000; space += 1777) {
    begin(false);
    programs_clock_step(100);
    volume_room(space);
    send_frames(60, 400U * MS, MS);
    EFI_STATUS status = cmd("capture full.pcapng -t 2");
    read_back("full.pcapng");
    assert_true(status == EFI_VOLUME_FULL || file.frame_count == 60);
    if(status == EFI_VOLUME_FULL) {
      assert_said("'full.pcapng' is not complete: Volume Full: the volume is full");
    }
    uint64_t written = cmd_number_after("capture: ");
    assert_int_equal(written, file.frame_count);
    assert_int_equal(cmd_number_before("matched"), written + cmd_number_before("dropped"));
    end();
  }
}

/* A volume that is slower than the wire: what does not fit is counted, in the file too. */
static void test_slow_volume(void **state) {
  (void)state;
  begin(false);
  uint8_t frame[1514] = {0};
  (void)peer_test_frame(&peer, frame, everybody, sizeof(frame), 1);
  for(UINT64 i = 0; i < 5000; i++) {
    wire_send(peer.nic, 400U * MS + i * 100U, frame, sizeof(frame));
  }
  volume_slow(250U * MS); /* for 64 KiB: 4000 frames of this size come in the time of 16 writes */
  assert_int_equal(cmd("capture slow.pcapng -t 2"), EFI_SUCCESS);
  read_back("slow.pcapng");
  assert_int_equal(file.counters[4], file.counters[6]);
  assert_true(file.counters[7] > 0 && file.frame_count > 50);
  assert_int_equal(file.counters[8], file.frame_count);
  assert_int_equal(file.counters[6], file.frame_count + file.counters[7]);
  assert_true(dropped_in_file() > 0 && dropped_in_file() <= file.counters[7]);
  assert_int_equal(cmd_number_before("dropped"), file.counters[7]);
  end();
}

/* Each call of the volume's fails once: it is said, or does not matter, and what is there is valid. */
static void test_failing_volume(void **state) {
  (void)state;
  static const char *const calls[] = {"OpenVolume",   "File.Open",  "File.GetInfo", "File.SetPosition",
                                      "File.SetInfo", "File.Write", "File.Flush",   "File.Read"};
  UINTN failures = 0;
  for(size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
    for(UINTN nth = 1; nth < 50; nth++) {
      begin(false);
      programs_clock_step(1000);
      volume_put("f.pcapng", "\n\r\r\n....................", 24);
      send_frames(60, 400U * MS, 40U * MS);
      firmware_fail_call(calls[i], nth);
      EFI_STATUS status = cmd("capture f.pcapng -t 3");
      bool failed = firmware_failed_call();
      firmware_fail_call(NULL, 0);
      if(failed) {
        failures++;
        assert_true(status == EFI_DEVICE_ERROR || strcmp(calls[i], "File.Flush") == 0 ||
                    strcmp(calls[i], "File.SetPosition") == 0 || strcmp(calls[i], "File.Read") == 0);
        assert_true(!EFI_ERROR(status) || strstr(console_text(), "netdiag: "));
      }
      size_t length;
      const uint8_t *bytes = volume_file("f.pcapng", &length);
      if(bytes && length > 24) {
        read_back("f.pcapng");
      }
      end();
      if(!failed) {
        break;
      }
    }
  }
  assert_in_range(failures, 12, 100);
}

/* Everything else -------------------------------------------------------------------------------------------------- */

static void test_mistakes(void **state) {
  (void)state;
  begin(false);
  assert_int_equal(cmd("capture"), EFI_INVALID_PARAMETER);
  assert_said("capture: FILE [FILTER...] is missing");
  assert_int_equal(cmd("capture x.pcapng hots 10.0.0.1"), EFI_INVALID_PARAMETER);
  assert_said("capture: 'hots' is no word of a filter: host, port, ether, ");
  assert_int_equal(cmd("capture x.pcapng host 10.0.0"), EFI_INVALID_PARAMETER);
  assert_said("capture: 'host' wants an IPv4 address, such as 10.0.2.2, not '10.0.0'");
  assert_int_equal(cmd("capture x.pcapng -s 13"), EFI_INVALID_PARAMETER);
  size_t length;
  assert_null(volume_file("x.pcapng", &length));
  end();
}

static void test_no_clock(void **state) {
  (void)state;
  static const EFI_TIME zones[] = {
      {.Year = 2026, .Month = 11, .Day = 26, .Hour = 13, .Minute = 34, .Second = 56, .TimeZone = -60},
      {.Year = 2026, .Month = 11, .Day = 26, .Hour = 12, .Minute = 34, .Second = 56, .TimeZone = 2047},
  };
  for(size_t i = 0; i < 3; i++) {
    begin(false);
    volume_clock(i < 2 ? &zones[i] : NULL);
    send_frames(1, 400U * MS, MS);
    assert_int_equal(cmd("capture clock.pcapng -t 1"), EFI_SUCCESS);
    read_back("clock.pcapng");
    assert_int_equal(file.frame_count, 1);
    if(i < 2) {
      assert_in_range(file.frames[0].time_us / 1000000U, NOON, NOON + 2U);
      assert_string_equal(file.section_comment, "");
    } else {
      assert_string_equal(file.section_comment,
                          "the machine's clock does not say what time it is: times begin at 1970-01-01");
    }
    end();
  }
}

/* It is kept as it goes on, not only at the end. */
static void test_flushed(void **state) {
  (void)state;
  begin(false);
  send_frames(60, 400U * MS, 100U * MS);
  assert_int_equal(cmd("capture long.pcapng -t 8"), EFI_SUCCESS);
  assert_in_range(volume_flushes(), 3, 8);
  assert_true(cmd_times_said("bytes written") >= 1);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_frames),
      cmocka_unit_test(test_not_promiscuous),
      cmocka_unit_test(test_filter_and_count),
      cmocka_unit_test(test_snap),
      cmocka_unit_test(test_other_ends),
      cmocka_unit_test(test_flood),
      cmocka_unit_test(test_shared),
      cmocka_unit_test(test_of_other_commands),
      cmocka_unit_test(test_where_to),
      cmocka_unit_test(test_without_shell),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_slow_volume),
      cmocka_unit_test(test_failing_volume),
      cmocka_unit_test(test_mistakes),
      cmocka_unit_test(test_no_clock),
      cmocka_unit_test(test_flushed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
