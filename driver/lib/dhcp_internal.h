/* dhcp_internal.h - the numbers of DHCP's options, for those who build, read and show them. */
#ifndef LIB_DHCP_INTERNAL_H
#define LIB_DHCP_INTERNAL_H

#define DHCP_COOKIE   0x63825363U
#define DHCP_SNAME_AT 44U
#define DHCP_SNAME    64U
#define DHCP_FILE_AT  108U
#define DHCP_FILE     128U

#define DHCP_OPTION_PAD          0U
#define DHCP_OPTION_MASK         1U
#define DHCP_OPTION_ROUTER       3U
#define DHCP_OPTION_DNS          6U
#define DHCP_OPTION_HOST         12U
#define DHCP_OPTION_FILE_SIZE    13U
#define DHCP_OPTION_DOMAIN       15U
#define DHCP_OPTION_VENDOR       43U
#define DHCP_OPTION_WANTED       50U
#define DHCP_OPTION_LEASE        51U
#define DHCP_OPTION_OVERLOAD     52U
#define DHCP_OPTION_TYPE         53U
#define DHCP_OPTION_SERVER       54U
#define DHCP_OPTION_PARAMETERS   55U
#define DHCP_OPTION_MESSAGE      56U
#define DHCP_OPTION_MAX_SIZE     57U
#define DHCP_OPTION_RENEW        58U
#define DHCP_OPTION_REBIND       59U
#define DHCP_OPTION_VENDOR_CLASS 60U
#define DHCP_OPTION_SERVER_NAME  66U
#define DHCP_OPTION_BOOT_FILE    67U
#define DHCP_OPTION_ARCH         93U
#define DHCP_OPTION_UNDI         94U
#define DHCP_OPTION_UUID         97U
#define DHCP_OPTION_END          255U

/* Within option 43 */
#define PXE_OPTION_CONTROL   6U
#define PXE_OPTION_MULTICAST 7U
#define PXE_OPTION_SERVERS   8U
#define PXE_OPTION_MENU      9U
#define PXE_OPTION_PROMPT    10U
#define PXE_OPTION_ITEM      71U

#endif
