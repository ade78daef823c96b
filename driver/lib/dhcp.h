/* dhcp.h - DHCP for IPv4 as network boot uses it (RFC 2131, 2132, 3396, 4578, PXE 2.1): a client's messages built, a
 * server's read whole. Pure C, tested on the host. */
#ifndef LIB_DHCP_H
#define LIB_DHCP_H

#include "udp.h"

#define DHCP_SERVER_PORT 67U
#define DHCP_CLIENT_PORT 68U
#define DHCP_PROXY_PORT  4011U /* where a boot server listens beside a DHCP server, PXE 2.1 section 2.2 */

#define DHCP_OPTIONS_AT   240U /* behind the fixed fields and the cookie                        */
#define DHCP_MESSAGE_SIZE 548U /* 576 without the IPv4 and UDP headers: what every server takes */

/* Option 53 */
enum dhcp_type {
  DHCP_BOOTP, /* there is none: an answer of RFC 951 */
  DHCP_DISCOVER,
  DHCP_OFFER,
  DHCP_REQUEST,
  DHCP_DECLINE,
  DHCP_ACK,
  DHCP_NAK,
  DHCP_RELEASE,
  DHCP_INFORM,
};

/* "OFFER"; "BOOTP reply" for DHCP_BOOTP, "unknown message" for what is none of them. */
const char *dhcp_type_text(uint32_t type);

/* Asking --------------------------------------------------------------------------------------------------------- */

/* Who asks. A PXE boot and an HTTP boot are two clients to a server, and a plain one is a third: what one is offered
 * says nothing of the others. */
enum dhcp_kind {
  DHCP_PLAIN, /* an address, as an operating system asks for one         */
  DHCP_PXE,   /* "PXEClient:Arch:...": a file that is fetched by TFTP    */
  DHCP_HTTP,  /* "HTTPClient:Arch:...": a URL (UEFI 2.10 24.7)           */
};

/* "plain", "PXE", "HTTP" */
const char *dhcp_kind_text(enum dhcp_kind kind);

/* What the machine runs. */
enum dhcp_machine { DHCP_X64, DHCP_IA32, DHCP_AARCH64 };

/* What this is compiled for. */
#if defined(__i386__)
#define DHCP_MACHINE DHCP_IA32
#elif defined(__aarch64__)
#define DHCP_MACHINE DHCP_AARCH64
#else
#define DHCP_MACHINE DHCP_X64
#endif

/* Option 93, by IANA's list of processor architecture types: 7 and 16 on x64, 6 and 15 on ia32, 11 and 19 on
 * AArch64. 0 for DHCP_PLAIN. */
uint16_t dhcp_arch(enum dhcp_kind kind, enum dhcp_machine machine);

/* What a number of that list means: "x64 UEFI", "x64 UEFI by HTTP"; NULL for one that is not known here. */
const char *dhcp_arch_text(uint32_t arch);

struct dhcp_client {
  enum dhcp_kind kind;
  enum dhcp_machine machine;
  uint32_t xid; /* the answers carry it                                            */
  uint8_t mac[6];
  uint8_t uuid[16]; /* of the machine, as SMBIOS has it; all zeroes where it has none  */
  uint16_t seconds; /* since the first try                                             */
  bool unicast;     /* answers may come to the address that is offered. Without it they are asked for by
                       broadcast, which arrives at a client that has no address        */
};

/* "PXEClient:Arch:00007:UNDI:003000": what a client that boots calls itself, which servers match. Not ended by a zero;
 * returns its length, 0 for DHCP_PLAIN. */
#define DHCP_CLASS_SIZE 40U
size_t dhcp_vendor_class(const struct dhcp_client *client, char text[DHCP_CLASS_SIZE]);

/* Each writes a message of at most DHCP_MESSAGE_SIZE bytes and returns its length. */
size_t dhcp_discover(void *message, const struct dhcp_client *client);

struct dhcp_offer;

/* Takes what was offered: broadcast, so that the other servers learn it as well. */
size_t dhcp_request(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer);

/* Asks a boot server that offered no address (dhcp_is_proxy) for its boot file: to be sent to that server's port 4011
 * from `address`, which another server's offer brought. With `boot_type`, the type of a boot server of the menu; layer
 * 0. */
size_t dhcp_boot_request(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer,
                         uint32_t address, uint16_t boot_type);

/* Says that somebody else has the address: broadcast. */
size_t dhcp_decline(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer);

/* Gives the address back: to the server alone, from the address. */
size_t dhcp_release(void *message, const struct dhcp_client *client, const struct dhcp_offer *offer);

/* Writes the frame that carries a message from nobody to everybody: 0.0.0.0 port 68 to 255.255.255.255 port 67. Returns
 * its length, 0 when the message is too long for a frame. */
size_t dhcp_broadcast(void *frame, const struct dhcp_client *client, const void *message, size_t length);

/* Answers -------------------------------------------------------------------------------------------------------- */

#define DHCP_ADDRESSES_MAX 8U
#define DHCP_TEXT_SIZE     256U /* a name, and the zero                    */
#define DHCP_FILE_SIZE     768U /* a URL may go on in several options 67   */
#define DHCP_ITEMS_MAX     8U   /* boot servers, lines of the menu         */
#define DHCP_ITEM_SIZE     64U

/* What is wrong with a message; what could be read of it was. */
#define DHCP_FAULT_CUT       0x001U /* an option goes on behind the end of its field                              */
#define DHCP_FAULT_NO_END    0x002U /* the options have no end (255)                                              */
#define DHCP_FAULT_OVERLOAD  0x004U /* option 52 is none of 1, 2 and 3                                            */
#define DHCP_FAULT_LENGTH    0x008U /* an option has a length that it cannot have                                 */
#define DHCP_FAULT_REPEATED  0x010U /* an option of a fixed length comes more than once: the first counts         */
#define DHCP_FAULT_TEXT      0x020U /* a text was too long, or holds what is not ASCII                            */
#define DHCP_FAULT_MANY      0x040U /* more addresses, boot servers or lines of the menu than there is room for   */
#define DHCP_FAULT_VENDOR    0x080U /* the PXE options within option 43 are cut                                   */
#define DHCP_FAULT_NO_TYPE   0x100U /* no option 53: it is BOOTP, or broken                                       */
#define DHCP_FAULT_NO_SERVER 0x200U /* a DHCP answer without a server identifier (54): clients drop it            */
#define DHCP_FAULT_MASK      0x400U /* the mask's ones are not all before its zeroes                              */

/* What the lowest bit of `faults` means, and takes that bit away; NULL when none is left. */
const char *dhcp_next_fault(uint32_t *faults);

struct dhcp_addresses {
  uint32_t count;
  uint32_t at[DHCP_ADDRESSES_MAX];
};

/* PXE 2.1 table 2-1: what option 43 holds for a PXE client. */
struct dhcp_pxe {
  bool there;       /* option 43 is there, and is made of tagged parts                                              */
  bool has_control; /* 6, discovery control: */
  bool no_broadcast;
  bool no_multicast;
  bool listed_only;   /* use the boot servers of the list only                                                        */
  bool no_discover;   /* boot the file of this answer without a prompt, menu or discovery                             */
  uint32_t multicast; /* 7: where to ask boot servers                                                            */
  uint32_t server_count; /* 8 */
  struct {
    uint16_t type;
    struct dhcp_addresses addresses;
  } servers[DHCP_ITEMS_MAX];
  uint32_t menu_count; /* 9 */
  struct {
    uint16_t type;
    char text[DHCP_ITEM_SIZE];
  } menu[DHCP_ITEMS_MAX];
  bool has_prompt;        /* 10 */
  uint8_t prompt_seconds; /* 0: take the first line at once; 255: wait                                              */
  char prompt[DHCP_ITEM_SIZE];
  bool has_item; /* 71, the boot item that a boot server's acknowledgement is about */
  uint16_t item_type;
  uint16_t item_layer;
};

/* All that a message says. Addresses in host order, 0 for what it does not say; texts are printable, "" when there is
 * none. */
struct dhcp_offer {
  uint8_t op; /* 1 of a client, 2 of a server */
  enum dhcp_type type;
  uint32_t faults; /* DHCP_FAULT_ */
  uint32_t xid;
  uint8_t mac[6]; /* the client's                                              */
  uint16_t seconds;
  bool broadcast;   /* the flag                                                  */
  uint32_t ciaddr;  /* the client's own address                                  */
  uint32_t address; /* yiaddr: what is offered                                   */
  uint32_t siaddr;  /* the next server                                           */
  uint32_t relay;   /* giaddr: the relay agent, so the server is elsewhere       */
  uint32_t server;  /* 54 */
  uint32_t wanted;  /* 50, of a client           */
  uint32_t mask;
  struct dhcp_addresses routers; /* 3 */
  struct dhcp_addresses dns;     /* 6 */
  char host[DHCP_TEXT_SIZE];     /* 12 */
  char domain[DHCP_TEXT_SIZE];   /* 15 */
  char message[DHCP_TEXT_SIZE];  /* 56: why a NAK                            */
  bool has_lease;
  uint32_t lease_s;                  /* 51; UINT32_MAX is for ever          */
  uint32_t renew_s;                  /* 58 */
  uint32_t rebind_s;                 /* 59 */
  uint8_t overload;                  /* 52: 1 file, 2 sname and 3 both hold options */
  char vendor_class[DHCP_TEXT_SIZE]; /* 60: "PXEClient", "HTTPClient..."            */
  char server_name[DHCP_TEXT_SIZE];  /* 66, else the field sname                    */
  char boot_file[DHCP_FILE_SIZE];    /* 67, else the field file                     */
  bool file_in_option;               /* it was 67                                   */
  bool has_file_size;
  uint16_t file_blocks; /* 13: in blocks of 512 bytes */
  bool has_arch;
  uint16_t arch; /* 93, of a client; some servers send it back */
  bool has_uuid; /* 97, with the client's machine              */
  uint8_t uuid[16];
  struct dhcp_pxe pxe; /* 43 */
};

/* Reads a message of a server or a client; false when it is none: too short, not for Ethernet, or without the cookie.
 * Options are looked for in the options field and, where option 52 says so, in `file` and then `sname`; one that comes
 * in several parts is joined (RFC 3396). Nothing outside of the message is read, whatever it says. */
bool dhcp_parse(const void *message, size_t length, struct dhcp_offer *offer);

/* Reads a frame: false unless it is a whole UDP datagram to DHCP's client port, or from a boot server's, that holds an
 * answer to this client. */
bool dhcp_parse_answer(const struct udp_packet *packet, const struct dhcp_client *client, struct dhcp_offer *offer);

/* One option, as it stands in the message. */
struct dhcp_option {
  uint8_t code;
  uint8_t length;
  const uint8_t *data;
  const char *field; /* "options", "file", "sname" */
};

/* Walks the options in the order of dhcp_parse: begin with *at = 0; false at the end. Pads and the end are left out. */
bool dhcp_next_option(const void *message, size_t length, size_t *at, struct dhcp_option *option);

/* "subnet mask"; NULL for an option that is not known here. */
const char *dhcp_option_name(uint8_t code);

/* Judging -------------------------------------------------------------------------------------------------------- */

/* It offers no address: a boot server beside the DHCP server (PXE 2.1 section 2.2.3). */
bool dhcp_is_proxy(const struct dhcp_offer *offer);

/* It names a file or a URL. */
bool dhcp_has_boot_file(const struct dhcp_offer *offer);

/* It names no file, but where to ask for one: a boot server's list or menu, or its port 4011. */
bool dhcp_wants_boot_request(const struct dhcp_offer *offer);

/* The boot file is a URL, "http://" or "https://". */
bool dhcp_is_url(const struct dhcp_offer *offer);

/* It says "HTTPClient": without that, a UEFI HTTP boot takes it for the offer of an address alone. */
bool dhcp_is_http(const struct dhcp_offer *offer);

/* Where the boot file is: the next server, else the server itself, as UEFI's PXE takes it; 0 when neither is said. */
uint32_t dhcp_next_server(const struct dhcp_offer *offer);

/* The gateway of an offer: its first router; 0 = none. */
uint32_t dhcp_gateway(const struct dhcp_offer *offer);

#endif
