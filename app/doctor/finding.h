/* finding.h - what the judges share: how a finding is made. Pure C. */
#ifndef APP_DOCTOR_FINDING_H
#define APP_DOCTOR_FINDING_H

#include "checks.h"

#include <stdbool.h>
#include <stddef.h>

/* Each sets the verdict and formats the evidence (format.h's conversions). */
void doctor_ok(struct doctor_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_unseen(struct doctor_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_warn(struct doctor_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_fail(struct doctor_finding *finding, enum doctor_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What to do about it. */
void doctor_remedy(struct doctor_finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to a text of `size` bytes. */
void doctor_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "10.0.2.2", "52:54:00:12:34:56", "/24": into `text`, which is returned. */
#define DOCTOR_ADDRESS_SIZE 18U
const char *doctor_ipv4(uint32_t address, char text[DOCTOR_ADDRESS_SIZE]);
const char *doctor_mac(const uint8_t mac[6], char text[DOCTOR_ADDRESS_SIZE]);
uint32_t doctor_prefix(uint32_t mask);

/* Whether the server lies on another network than the address. */
bool doctor_is_remote(const struct doctor_evidence *evidence);

/* Whether somebody answered something that we asked for. */
bool doctor_was_answered(const struct doctor_evidence *evidence);

/* How many of the offers may be looked at. */
uint32_t doctor_offers(const struct doctor_evidence *evidence);

/* An offer that a client would take: with an address and a server to answer to. */
bool doctor_is_usable(const struct doctor_offer *offer);

/* The judges, one a check. */
void doctor_judge_nic(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_driver(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_nvm(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_mac(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_memory(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_link(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_out(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_in(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_tags(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_tree(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_dhcp(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_agree(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_address(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_bootfile(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_gateway(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_server(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_path(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_stack(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_fetch(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_image(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_secure(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_ipv6(const struct doctor_evidence *evidence, struct doctor_finding *finding);
void doctor_judge_order(const struct doctor_evidence *evidence, struct doctor_finding *finding);

#endif
