/* efilibplat.h - what gnu-efi's library has for AArch64 alone: nothing that is used here. */
