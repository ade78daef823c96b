# Builds the images, runs them in QEMU, and tests everything. `make help` lists the targets.

# The processor that the images are for; the host's programs stay the host's.
ARCH    := x86_64
ARCHES  := x86_64 aarch64 ia32
ifeq ($(and $(filter 1,$(words $(ARCH))),$(filter $(ARCH),$(ARCHES))),)
$(error ARCH=$(ARCH) is none of: $(ARCHES))
endif
# Those that run or judge the host's programs, or machines of x86-64 by name
HOST_GOALS := $(filter test test-% check coverage fuzz fuzz-% count instructions bench soak %-demo dist,$(MAKECMDGOALS))
ifneq ($(HOST_GOALS),)
ifneq ($(ARCH),x86_64)
$(error 'make $(firstword $(HOST_GOALS))' takes no ARCH; 'make test-arch' tests AArch64 and ia32)
endif
endif
BUILD   := build$(ARCH:%=/%)
ifeq ($(ARCH),x86_64)
BUILD   := build
endif
CC      := gcc
HOSTCC  := gcc
NIC     := e1000
MACHINE :=
CMD     :=
NICS     = $(NIC)
FILES   :=
TFTP    :=
BADNET  :=
KEY     :=
CERT    :=
GRAPHICS :=
SOAK_FRAMES := 1000000
BENCH   :=

EFI_INC  := /usr/include/efi
EFI_LDS  := driver/efi/image.lds

# What each processor takes: TARGET_FLAGS with either compiler, GCC_FLAGS with gcc only. Neither vector registers nor a red
# zone where an interrupt may come between.
LD        := ld -z pack-relative-relocs
OBJCOPY   := objcopy
TICKS_SRC := driver/efi/arch/ticks_x86.c
ifeq ($(ARCH),x86_64)
TARGET_FLAGS := -mno-red-zone -mgeneral-regs-only -DGNU_EFI_USE_MS_ABI
GCC_FLAGS    := -maccumulate-outgoing-args -fbuiltin
endif
ifeq ($(ARCH),ia32)
# UEFI's structures have 64-bit fields at multiples of 8 on every processor.
TARGET_FLAGS := -m32 -march=i686 -mno-mmx -mno-sse -malign-double
LD           := ld -m elf_i386 -z pack-relative-relocs
endif
ifeq ($(ARCH),aarch64)
# Debian's cross gcc cannot be installed beside gcc-multilib: clang does where it is not there.
CROSS        := aarch64-linux-gnu-
ifeq ($(origin CC),file)
CC           := $(if $(shell command -v $(CROSS)gcc),$(CROSS)gcc,clang)
endif
# Outline atomics would be calls into the compiler's library.
TARGET_FLAGS := -mgeneral-regs-only -mno-outline-atomics $(if $(findstring clang,$(CC)),--target=aarch64-linux-gnu)
TICKS_SRC    := driver/efi/arch/ticks_aarch64.c
LD           := $(CROSS)ld --defsym=relocations_unpacked=1
OBJCOPY      := $(CROSS)objcopy
endif

WARNINGS   := -Wall -Wextra -Wconversion -Wshadow -Wvla -Werror
CORE_FLAGS := -std=c11 $(WARNINGS) -Iinclude
EFI_FLAGS  := $(CORE_FLAGS) -Oz -fpic -ffreestanding -fno-stack-protector -fno-strict-aliasing -fshort-wchar \
              -fvisibility=hidden -ffunction-sections -fdata-sections $(TARGET_FLAGS) \
              -isystem driver/efi/include -isystem $(EFI_INC) -isystem $(EFI_INC)/$(ARCH)
# gcc passes a function the fields of a structure instead of the structure (ipa-sra) and makes copies for constants (ipa-cp):
# more at each call than is saved.
SMALLER   := -fno-ipa-sra -fno-ipa-cp
ifeq ($(findstring clang,$(CC)),)
EFI_FLAGS += $(GCC_FLAGS) $(SMALLER)
endif
HOST_WATCH := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HOST_FLAGS := $(CORE_FLAGS) -g $(HOST_WATCH)

LIB_SRC  := $(wildcard driver/lib/*.c)
CORE_SRC := $(filter-out driver/net/drivers_%.c,$(wildcard driver/net/*.c driver/net/*/*.c))
# The families that an image carries: one small file says it
ALL_DRIVERS := driver/net/drivers_all.c
EFI_SRC  := $(filter-out driver/efi/driver_entry.c,$(wildcard driver/efi/*.c)) $(TICKS_SRC)
APP_SRC  := $(wildcard app/*.c app/*/*.c)
APP_PURE := app/args.c app/cmd/path_mtu.c app/load_options.c app/pinger.c app/ring_picture.c app/suggest.c app/wrap.c \
            $(addprefix app/capture/,frame_filter.c frame_ring.c) app/monitor/page.c \
            $(addprefix app/stage/,bootp.c chunked.c http_text.c kind.c url.c)
# Where a quoted include of the tests may be found
TEST_INC := -Idriver/lib -Idriver/net -Idriver/net/e1000 -Idriver/net/virtio -Itests/sim -Iapp -Iapp/capture -Iapp/monitor

efi_objects = $(patsubst %.c,$(BUILD)/efi/%.o,$(1))
DRIVER_OBJ  := $(call efi_objects,$(CORE_SRC) $(EFI_SRC) driver/lib/crc32.c driver/lib/format.c)
ALL_OBJ     := $(call efi_objects,$(ALL_DRIVERS))
# What an image of one family leaves out is the others, and of its own what only netdiag and kernels call
ONLY_OTHERS := $(addprefix driver/net/e1000/e1000_,adopt.c judge.c words.c)
E1000_OBJ   := $(filter-out $(BUILD)/efi/driver/net/virtio/% $(call efi_objects,$(ONLY_OTHERS)),$(DRIVER_OBJ)) \
               $(call efi_objects,driver/net/drivers_e1000_efi.c)
VIRTIO_OBJ  := $(filter-out $(BUILD)/efi/driver/net/e1000/%,$(DRIVER_OBJ)) $(call efi_objects,driver/net/drivers_virtio.c)
APP_OBJ     := $(call efi_objects,$(APP_SRC) $(LIB_SRC))
ENTRY_OBJ   := $(call efi_objects,driver/efi/driver_entry.c)
ROMS        := $(addprefix $(BUILD)/,e1000.rom e1000-82544gc.rom e1000-82545em.rom e1000e.rom virtio-net.rom \
               virtio-net-transitional.rom)
IMAGES      := $(BUILD)/netdiag.efi $(BUILD)/e1000.efi $(BUILD)/virtio-net.efi $(ROMS)

APP_PURE += $(addprefix app/menu/,line_edit.c menu_state.c)
# The doctor's pure half
APP_PURE += $(addprefix app/doctor/,boot_option.c checks.c defects.c defects_nics.c ear.c finding.c judge_boot.c judge_nic.c judge_wire.c pe.c)
TEST_INC += -Iapp/doctor

.PHONY: all images run shell unit coverage test test-programs other-compiler test-distros fuzz check count handoff-demo soak sign clean help deps FORCE
.PHONY: usb iso dist boot-demo instructions instructions-update other-processors test-arch foreign-unit
.PHONY: bench sizes
.DELETE_ON_ERROR:

# One short line for each file that is made; V=1 shows the commands.
ifndef V
.SILENT:
endif
say = @echo '  $(1)' $@

all: deps images

images: $(IMAGES)

help:
	@echo 'make run      build, boot OVMF in QEMU, list the NICs and ping the gateway'
	@echo '              NIC=e1000|e1000-82544gc|e1000-82545em|e1000e|virtio-net-pci|virtio-net-transitional'
	@echo '              MACHINE=q35|pc  CMD="netdiag info"'
	@echo '              ARCH=x86_64|aarch64|ia32: another processor. Its images are in build/aarch64 or build/ia32;'
	@echo '              all, shell, sign, usb and iso take it as well'
	@echo 'make shell    the same machine with an interactive UEFI Shell (Ctrl-A X ends QEMU)'
	@echo '              NICS="e1000 e1000e" several NICs   FILES="my.efi folder" on the disk (fs0:) as well'
	@echo '              TFTP=folder served at 10.0.2.2     GRAPHICS=1 a screen: in a window, or by VNC on localhost'
	@echo '              BADNET="no-dhcp lldp" a network with these faults (tools/badnet --list), or BADNET=healthy'
	@echo '              (make run takes these as well)'
	@echo 'make test     build everything and run every test'
	@echo 'make test-programs  build what `tests/run --only NAME` needs'
	@echo 'make test-distros  make run and make test of the last commit on a fresh Debian 12 and 13; as root, in an hour or two'
	@echo 'make test-arch     every NIC and option ROM on AArch64 and ia32, and unit tests as AArch64 programs'
	@echo 'make coverage lines and branches of the driver that the host tests reach; fails when driver/net loses one'
	@echo 'make fuzz     every fuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS); make fuzz-rx runs one (tests/fuzz)'
	@echo 'make check    formatting, layering, register table, static analysis; boots nothing'
	@echo 'make count    count the register accesses per frame, and fail above the price list'
	@echo 'make instructions  count the instructions per frame, and fail above the table of tests/instructions'
	@echo 'make sizes    the bytes of the images by folder; fails above 64 KiB for a driver, as does make check'
	@echo 'make bench    our drivers beside iPXE, VirtioNetDxe, Linux: ratios, into $(BUILD)/bench.md  BENCH="--only receive"'
	@echo 'make handoff-demo  a peer sends without pause while a kernel takes the NIC over; both count'
	@echo 'make boot-demo     a bare NIC, netdiag boot URL, a kernel that answers pings: timed by steps  NIC=e1000e'
	@echo 'make soak     a million frames each way under disturbances, all accounted for  SOAK_FRAMES=n'
	@echo 'make usb      $(BUILD)/netdiag.img, to write to a USB stick that boots netdiag on every processor; make iso: a CD'
	@echo '              KEY=FILE.key CERT=FILE.pem takes signed images'
	@echo 'make dist     a release, build/netdiag-VERSION.tar.gz: images, ROMs, media, sources, checksums; signed ones with'
	@echo '              KEY= and CERT='
	@echo 'make sign     sign them for Secure Boot, into $(BUILD)/signed  KEY=FILE.key CERT=FILE.pem (tools/sign --help)'
	@echo 'make all      build the images: $(IMAGES)'
	@echo 'make deps     install the Debian packages in tools/packages.txt that are missing'
	@echo 'make clean    remove $(BUILD)/'
	@echo 'CC=clang builds with clang (after make clean). V=1 shows the commands.'

deps:
	@tools/install-packages tools/packages.txt

# Images: objects to a shared object, then to PE32+. Undefined symbols would only show at
# run time, so the linker must refuse them.
$(BUILD)/efi/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(CC) $(EFI_FLAGS) -MMD -MP -c $< -o $@

# Small everywhere, fast where every frame goes
DATAPATH := driver/net/netdev_data driver/net/e1000/e1000_data driver/net/virtio/virtio_data driver/net/virtio/virtq_data driver/efi/snp_io driver/efi/libc
$(DATAPATH:%=$(BUILD)/efi/%.o): EFI_FLAGS := $(EFI_FLAGS:-Oz=-O2)

# With -Bsymbolic and hidden symbols nothing is looked up by name, so all relocations are relative: packed (DT_RELR), they
# take little, and driver/efi/relocate.c applies them.
LINK_EFI = $(LD) -nostdlib -shared -Bsymbolic -T $(EFI_LDS) -z nocombreloc -z defs --gc-sections --no-warn-rwx-segments \
             -Map=$(@:.so=.map) $(filter %.o,$^) -o $@ $(EFI_LIBS)
# What stands around every image's own code, in place of gnu-efi's; netdiag has its functions in app/library.c
EFI_START_SRC := $(addprefix driver/efi/,divide.c libc.c library.c relocate.c start.c tables.c)

$(BUILD)/netdiag.so: $(APP_OBJ) $(DRIVER_OBJ) $(ALL_OBJ)
$(BUILD)/e1000.so: $(ENTRY_OBJ) $(E1000_OBJ)
$(BUILD)/virtio-net.so: $(ENTRY_OBJ) $(VIRTIO_OBJ)
$(BUILD)/netdiag.so $(BUILD)/e1000.so $(BUILD)/virtio-net.so: $(EFI_LDS)
	$(call say,LD  )
	$(LINK_EFI)

$(BUILD)/netdiag.efi: TARGET := efi-app-$(ARCH)
$(BUILD)/e1000.efi $(BUILD)/virtio-net.efi: TARGET := efi-bsdrv-$(ARCH)
$(BUILD)/%.efi: $(BUILD)/%.so tools/nxcompat
	$(call say,EFI )
	$(OBJCOPY) --strip-all -j .text -j .sbat -j .reloc -j .rodata -j .data -j .bss --output-target=$(TARGET) $< $@
	tools/nxcompat $@

# Signed for Secure Boot, with the ROMs made of the signed drivers. Anew each time: the key may be another.
SIGNED     := $(IMAGES:$(BUILD)/%=$(BUILD)/signed/%)
SIGNED_EFI := $(filter %.efi,$(SIGNED))
sign: $(SIGNED)
	@echo 'Signed: $(SIGNED)'
$(SIGNED_EFI): $(BUILD)/signed/%.efi: $(BUILD)/%.efi tools/sign FORCE
	$(call say,SIGN)
	tools/sign --key '$(KEY)' --cert '$(CERT)' $< $@

# Option ROMs: the driver behind the headers that firmware looks for, one per PCI device ID.
%/e1000.rom: ROM_ID := 100e
%/e1000-82544gc.rom: ROM_ID := 100c
%/e1000-82545em.rom: ROM_ID := 100f
%/e1000e.rom: ROM_ID := 10d3
%/virtio-net.rom: ROM_ID := 1041
%/virtio-net-transitional.rom: ROM_ID := 1000
$(BUILD)/e1000%rom $(BUILD)/signed/e1000%rom: ROM_VENDOR := 8086
$(BUILD)/virtio-net%rom $(BUILD)/signed/virtio-net%rom: ROM_VENDOR := 1af4
$(foreach folder,$(BUILD) $(BUILD)/signed,$(eval $(filter $(folder)/e1000%.rom,$(ROMS) $(SIGNED)): $(folder)/e1000.efi))
$(foreach folder,$(BUILD) $(BUILD)/signed,$(eval $(filter $(folder)/virtio-net%.rom,$(ROMS) $(SIGNED)): $(folder)/virtio-net.efi))
$(ROMS) $(filter %.rom,$(SIGNED)): tools/mkrom tools/version.py include/efi/version.h
	$(call say,ROM )
	tools/mkrom --vendor $(ROM_VENDOR) --device $(ROM_ID) $(filter %.efi,$^) $@

# To write to a stick or a CD: netdiag as boot loader, the drivers beside it; signed when there is a key. For all processors,
# unless ARCH says which one.
MEDIA  := $(BUILD)/netdiag.img $(BUILD)/netdiag.iso
SIGNED_FOLDER := $(if $(KEY)$(CERT),/signed)
OTHERS := $(if $(filter x86_64,$(ARCH)),$(filter-out $(ARCH),$(ARCHES)))
CARRIED := $(BUILD)$(SIGNED_FOLDER) $(OTHERS:%=$(BUILD)/%$(SIGNED_FOLDER))
usb: $(BUILD)/netdiag.img
iso: $(BUILD)/netdiag.iso
.PHONY: other-processors
other-processors: deps
	for arch in $(OTHERS); do \
	  $(MAKE) --no-print-directory -o deps $(if $(KEY)$(CERT),sign,images) ARCH=$$arch BUILD=$(BUILD)/$$arch || exit 1; \
	done
$(MEDIA): $(addprefix $(BUILD)$(SIGNED_FOLDER)/,netdiag.efi e1000.efi virtio-net.efi) other-processors tools/mkmedia \
          tools/medialib.py FORCE
	$(call say,DISK)
	tools/mkmedia $(CARRIED:%=--images %) $@

# A release: images, ROMs, media, sources and checksums in one archive
dist: $(if $(KEY)$(CERT),sign,images) other-processors
	$(call say,DIST)
	tools/mkdist $(CARRIED:%=--images %) $(BUILD)

# Programs that the boot tests run inside the firmware; they know the driver by its protocols only, and print with gnu-efi,
# which has the variables as well
TEST_START_SRC := $(filter-out %/tables.c,$(EFI_START_SRC))
TEST_EFI := $(patsubst tests/efi/%.c,$(BUILD)/tests/%.efi,$(wildcard tests/efi/*.c))
$(BUILD)/tests/%.so: $(BUILD)/efi/tests/efi/%.o $(call efi_objects,$(TEST_START_SRC)) $(EFI_LDS)
	$(call say,LD  )
	mkdir -p $(@D)
	$(LINK_EFI)
$(TEST_EFI:.efi=.so) $(BUILD)/tests/kernel.so: EFI_LIBS := --exclude-libs ALL -L/usr/lib -lefi
$(TEST_EFI): TARGET := efi-app-$(ARCH)
$(BUILD)/tests/unplug.efi: TARGET := efi-bsdrv-$(ARCH)

# The reference kernel, as a UEFI image and as an ELF64 file for GRUB. Its interrupt handlers may use general registers
# only, like everything that they call.
KERNEL_SRC := $(filter-out tests/kernel/boot_%,$(wildcard tests/kernel/*.c)) $(wildcard driver/kernel/*.c driver/kernel/plain/*.c) $(CORE_SRC) $(ALL_DRIVERS) \
              $(LIB_SRC) $(APP_PURE) driver/efi/libc.c
KERNELS    := $(BUILD)/tests/kernel.efi $(BUILD)/tests/kernel.elf
kernel_objects = $(patsubst %.c,$(BUILD)/kernel/%.o,$(1))
$(BUILD)/kernel/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(CC) $(EFI_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/tests/kernel.so: $(call kernel_objects,$(sort $(KERNEL_SRC) $(TEST_START_SRC)) tests/kernel/boot_efi.c) $(EFI_LDS)
	$(call say,LD  )
	mkdir -p $(@D)
	$(LINK_EFI)
$(BUILD)/tests/kernel.efi: TARGET := efi-app-$(ARCH)

$(BUILD)/tests/kernel.elf: $(call kernel_objects,$(KERNEL_SRC) tests/kernel/boot_multiboot2.c) \
                           tests/kernel/multiboot2.S tests/kernel/multiboot2.ld
	$(call say,LD  )
	mkdir -p $(@D)
	$(CC) -static -nostdlib -no-pie -Wl,--build-id=none,-z,max-page-size=4096,-z,noexecstack -T tests/kernel/multiboot2.ld $(filter %.o %.S,$^) -o $@

# Running; the command goes through the environment, so that its quotes stay what they are
run shell: export NETDIAG_CMD := $(value CMD)
RUN_QEMU = tools/qemu --arch $(ARCH) --build $(BUILD) $(NICS:%=--nic %) $(MACHINE:%=--machine %) $(FILES:%=--file '%') \
             $(if $(TFTP),--tftp '$(TFTP)') $(if $(GRAPHICS),--graphics) $(if $(BADNET),--badnet '$(BADNET)')
run: all
	$(RUN_QEMU) $(if $(CMD),--cmd "$$NETDIAG_CMD")

shell: all
	$(RUN_QEMU) --interactive

# Host programs: the same core against the simulator, under the address and undefined-behaviour sanitizers
HOST_OBJ  := $(patsubst %.c,$(BUILD)/host/%.o,$(CORE_SRC) $(ALL_DRIVERS) $(LIB_SRC) $(APP_PURE) $(wildcard tests/sim/*.c))
UNIT_BIN  := $(patsubst tests/unit/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
REGISTERS := $(BUILD)/check_registers

$(BUILD)/host/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(HOSTCC) $(HOST_FLAGS) $(TEST_INC) -MMD -MP -c $< -o $@

$(BUILD)/test_%: $(BUILD)/host/tests/unit/test_%.o $(BUILD)/host/tests/unit/filter.o $(HOST_OBJ)
	$(call say,LD  )
	$(HOSTCC) $(HOST_FLAGS) $^ -o $@ $(HOST_LINK) -lcmocka

KERNEL_TESTS := $(addprefix $(BUILD)/test_,consumer bars msi netconsole panic work)
$(KERNEL_TESTS): $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard driver/kernel/*.c))
$(KERNEL_TESTS:$(BUILD)/%=$(BUILD)/host/tests/unit/%.o): HOST_FLAGS += -Idriver/kernel

# lwIP (Debian's) over our drivers; its headers are not held to our warnings
LWIP_OBJ := $(addprefix $(BUILD)/host/,driver/kernel/lwip/net_lwip.o tests/unit/test_lwip.o)
$(LWIP_OBJ): HOST_FLAGS += -D_DEFAULT_SOURCE -isystem /usr/include/lwip
$(BUILD)/test_lwip: $(BUILD)/host/driver/kernel/lwip/net_lwip.o
$(BUILD)/test_lwip: HOST_LINK := -llwip

# Tomorrow's handoff.h, and today's code with it
$(BUILD)/next/net/handoff.h: include/net/handoff.h tests/unit/handoff_next.awk
	$(call say,GEN )
	mkdir -p $(@D)
	awk -f tests/unit/handoff_next.awk $< > $@
$(BUILD)/host/tests/unit/test_handoff_next.o: $(BUILD)/next/net/handoff.h
$(BUILD)/host/tests/unit/test_handoff_next.o: HOST_FLAGS := -I$(BUILD)/next $(HOST_FLAGS)
$(BUILD)/test_handoff_next: $(BUILD)/host/tests/unit/test_handoff_next.o $(BUILD)/host/tests/unit/filter.o \
                            $(filter-out %/handoff.o %/driver/net/drivers_all.o,$(HOST_OBJ))
	$(call say,LD  )
	$(HOSTCC) $(HOST_FLAGS) $^ -o $@ -lcmocka

# The family as its image carries it
$(BUILD)/test_e1000_efi: $(BUILD)/host/tests/unit/test_e1000_efi.o $(BUILD)/host/tests/unit/filter.o \
                         $(BUILD)/host/driver/net/drivers_e1000_efi.o \
                         $(filter-out $(patsubst %.c,$(BUILD)/host/%.o,$(ALL_DRIVERS) $(ONLY_OTHERS)),$(HOST_OBJ))
	$(call say,LD  )
	$(HOSTCC) $(HOST_FLAGS) $^ -o $@ -lcmocka

# The menios glue over menios' interfaces: on the host those are the test's, with the simulator's registers behind them.
# And compiled as menios compiles, with headers of our own that say what its say; it must need nothing else of menios.
GLUE_SRC     := $(wildcard driver/kernel/menios/*.c)
GLUE_INC     := -Itests/menios/include
GLUE_HOST    := $(patsubst %.c,$(BUILD)/host/%.o,$(GLUE_SRC) $(wildcard driver/kernel/*.c) tests/menios/stubs.c)
# What the core and driver/kernel need of driver/lib
VENDORED_LIB := $(addprefix driver/lib/,bytes.c crc32.c ether.c ipv4.c udp.c)
MENIOS_OBJ   := $(patsubst %.c,$(BUILD)/menios/%.o,$(CORE_SRC) $(ALL_DRIVERS) $(VENDORED_LIB) $(GLUE_SRC) \
                $(wildcard driver/kernel/*.c))
MENIOS_FLAGS := -std=gnu11 $(WARNINGS) -nostdinc -ffreestanding -fno-stack-protector -fno-pie -march=x86-64 \
                -mno-80387 -mno-mmx -mno-sse -mno-sse2 -mno-red-zone -mcmodel=kernel -DMENIOS_KERNEL

GLUE_TESTS   := test_menios test_menios_virtio
$(GLUE_TESTS:%=$(BUILD)/%): $(GLUE_HOST)
$(GLUE_TESTS:%=$(BUILD)/%): HOST_LINK := -Wl,--wrap=menios_platform_init
$(GLUE_HOST) $(GLUE_TESTS:%=$(BUILD)/host/tests/unit/%.o): HOST_FLAGS += $(GLUE_INC)

$(BUILD)/menios/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(CC) $(MENIOS_FLAGS) -Iinclude -Itests/menios/libc $(GLUE_INC) -MMD -MP -c $< -o $@

$(BUILD)/menios.o: $(MENIOS_OBJ) tests/menios/symbols
	$(call say,LD  )
	ld -r $(MENIOS_OBJ) -o $@
	nm --undefined-only --just-symbols $@ | diff tests/menios/symbols -

# What a kernel takes that wants one family: the core, that family with its list, and the consumer. It must need nothing but
# what a C compiler may call on its own account.
FAMILIES := e1000 virtio
VENDORED := $(FAMILIES:%=$(BUILD)/vendored_%.o)
define vendored
$(BUILD)/vendored_$(1).o: $(patsubst %.c,$(BUILD)/menios/%.o,$(filter-out driver/net/drivers_%.c,$(wildcard driver/net/*.c)) \
  $(wildcard driver/net/$(1)/*.c driver/kernel/*.c) driver/net/drivers_$(1).c $(VENDORED_LIB))
endef
$(foreach family,$(FAMILIES),$(eval $(call vendored,$(family))))
$(VENDORED):
	$(call say,LD  )
	ld -r $^ -o $@
	! nm --undefined-only --just-symbols $@ | grep -vxE 'mem(cpy|set|cmp|move)'

# The UEFI home runs against a fake firmware. Memory functions come from there and from libc, which the sanitizers see, and
# not from gnu-efi.
HOST_EFI_FLAGS := $(HOST_FLAGS) -fshort-wchar -fno-strict-aliasing -DGNU_EFI_USE_MS_ABI \
                  -isystem $(EFI_INC) -isystem $(EFI_INC)/x86_64
HOST_EFI_SRC   := $(filter-out $(EFI_START_SRC) driver/efi/mmio.c,$(wildcard driver/efi/*.c)) \
                  $(wildcard tests/firmware/*.c)
LINK_HOST_EFI  := -lcmocka -lc -lefi
HOST_EFI_OBJ   := $(patsubst %.c,$(BUILD)/host-efi/%.o,$(HOST_EFI_SRC))

$(BUILD)/host-efi/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(HOSTCC) $(HOST_EFI_FLAGS) $(TEST_INC) -Idriver/efi -Itests/firmware -MMD -MP -c $< -o $@

$(BUILD)/test_efi_%: $(BUILD)/host-efi/tests/unit/test_efi_%.o $(BUILD)/host/tests/unit/filter.o $(HOST_EFI_OBJ) $(HOST_OBJ)
	$(call say,LD  )
	$(HOSTCC) $(HOST_EFI_FLAGS) $^ -o $@ $(LINK_HOST_EFI)

# netdiag and the drivers as images in one program, each with its families, as they lie on a disk. Of an image only the
# entry point can be seen, and its variables lie together (LOADED_SECTIONS), so that loading it again starts afresh.
IMAGE_EFI_OBJ   := $(filter-out %/driver_entry.o,$(filter $(BUILD)/host-efi/driver/%,$(HOST_EFI_OBJ)))
IMAGE_CORE_OBJ  := $(patsubst %.c,$(BUILD)/host/%.o,$(CORE_SRC) $(LIB_SRC))
LOADED_SECTIONS := .data .data.rel .data.rel.local .bss
$(BUILD)/host-efi/netdiag_image.o: $(patsubst %.c,$(BUILD)/host-efi/%.o,$(APP_SRC)) $(IMAGE_EFI_OBJ) $(IMAGE_CORE_OBJ) \
                                   $(BUILD)/host/driver/net/drivers_all.o
$(BUILD)/host-efi/e1000_image.o: $(BUILD)/host-efi/driver/efi/driver_entry.o $(IMAGE_EFI_OBJ) \
                                 $(filter-out $(ONLY_OTHERS:%.c=$(BUILD)/host/%.o),$(IMAGE_CORE_OBJ)) \
                                 $(BUILD)/host/driver/net/drivers_e1000_efi.o
# The target's name says which image it is.
image_name = $(patsubst %_image.o,%,$(notdir $@))
define LINK_IMAGE
	$(call say,LD  )
	mkdir -p $(@D)
	ld -r $^ -o $@
	objcopy --set-section-flags .bss=alloc,load,contents $@
	objcopy --redefine-sym efi_main=$(image_name)_main --keep-global-symbol=$(image_name)_main \
	  $(foreach section,$(LOADED_SECTIONS),--rename-section $(section)=$(image_name)_variables) $@
endef
$(BUILD)/host-efi/%_image.o:
	$(LINK_IMAGE)

$(BUILD)/test_cmd_%: $(BUILD)/host-efi/tests/unit/test_cmd_%.o $(patsubst %.c,$(BUILD)/host-efi/%.o,$(wildcard tests/unit/cmd_*.c)) \
                     $(BUILD)/host-efi/netdiag_image.o $(BUILD)/host-efi/e1000_image.o \
                     $(patsubst %.c,$(BUILD)/host-efi/%.o,$(wildcard tests/firmware/*.c)) $(HOST_OBJ)
	$(call say,LD  )
	$(HOSTCC) $(HOST_EFI_FLAGS) $^ -o $@ $(LINK_HOST_EFI)

# A family that exists in the tests alone, with a list of families of its own: both homes, and a netdiag, around it
FAMILY_OBJ := $(BUILD)/host/tests/unit/fake_family.o
FAMILY_AND := $(BUILD)/host/tests/unit/fake_device.o $(BUILD)/host/tests/unit/filter.o \
              $(filter-out $(ALL_DRIVERS:%.c=$(BUILD)/host/%.o),$(HOST_OBJ))
$(BUILD)/test_family: $(BUILD)/host-efi/tests/unit/test_family.o $(FAMILY_OBJ) $(FAMILY_AND) $(HOST_EFI_OBJ) \
                      $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard driver/kernel/*.c))
	$(call say,LD  )
	$(HOSTCC) $(HOST_EFI_FLAGS) $^ -o $@ $(LINK_HOST_EFI)

$(BUILD)/host-efi/family/netdiag_image.o: $(patsubst %.c,$(BUILD)/host-efi/%.o,$(APP_SRC)) $(IMAGE_EFI_OBJ) $(IMAGE_CORE_OBJ) \
                                          $(FAMILY_OBJ)
	$(LINK_IMAGE)
$(BUILD)/test_family_cmd: $(BUILD)/host-efi/tests/unit/test_family_cmd.o $(FAMILY_AND) $(FAMILY_OBJ) \
                          $(patsubst %.c,$(BUILD)/host-efi/%.o,$(wildcard tests/unit/cmd_*.c tests/firmware/*.c)) \
                          $(BUILD)/host-efi/family/netdiag_image.o $(BUILD)/host-efi/e1000_image.o
	$(call say,LD  )
	$(HOSTCC) $(HOST_EFI_FLAGS) $^ -o $@ $(LINK_HOST_EFI)

# What the tools count instructions in: the images' own objects over the simulators and the fake firmware, those without
# sanitizers
PATHS     := $(BUILD)/paths
PATHS_OBJ := $(patsubst %.c,$(BUILD)/paths-host/%.o,tests/instructions/paths.c $(wildcard tests/sim/*.c tests/firmware/*.c))
$(BUILD)/paths-host/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	$(HOSTCC) $(filter-out $(HOST_WATCH),$(HOST_EFI_FLAGS)) -O1 $(TEST_INC) -Idriver/efi -Itests/firmware -Itests/unit -MMD -MP -c $< -o $@

# Of what stands around an image the copying alone, which counts
PATHS_NOT := $(call efi_objects,$(filter-out %/libc.c,$(EFI_START_SRC)) $(TICKS_SRC) driver/efi/mmio.c)
$(PATHS): $(PATHS_OBJ) $(filter-out $(PATHS_NOT),$(DRIVER_OBJ)) $(ALL_OBJ) $(ENTRY_OBJ)
	$(call say,LD  )
	$(HOSTCC) $^ -o $@ $(LINK_HOST_EFI)

$(REGISTERS): $(BUILD)/host/tests/unit/check_registers.o $(BUILD)/host/tests/unit/registers_manual.o $(HOST_OBJ)
	$(call say,LD  )
	$(HOSTCC) $(HOST_FLAGS) $^ -o $@

# What the tools' tests ask of the capture's pure parts
CAPTURE_TOOL := $(BUILD)/capture_tool
$(CAPTURE_TOOL): $(BUILD)/host/tests/unit/capture_tool.o $(HOST_OBJ)
	$(call say,LD  )
	$(HOSTCC) $(HOST_FLAGS) $^ -o $@

unit: $(UNIT_BIN) $(CAPTURE_TOOL)

# What the unit tests reach, measured without the sanitizers
coverage: deps
	$(MAKE) --no-print-directory unit BUILD=$(BUILD)/coverage HOST_WATCH='-O0 --coverage'
	tools/coverage $(BUILD)/coverage

# Fuzzers: libFuzzer, the same sanitizers, and checked-in corpora. What is new and found goes below $(BUILD)/fuzz.
FUZZ_SECONDS := 60
FUZZ_INC     := $(TEST_INC) -Idriver/kernel -Idriver/efi -Itests/firmware -Itests/unit
FUZZ_SRC     := $(CORE_SRC) $(ALL_DRIVERS) $(wildcard driver/kernel/*.c) $(LIB_SRC) $(APP_PURE) $(wildcard tests/sim/*.c)
FUZZ_OBJ     := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(FUZZ_SRC))
FUZZ_EFI_OBJ := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(HOST_EFI_SRC))
FUZZ_BIN     := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/fuzz/driver/efi/%.o $(BUILD)/fuzz/tests/firmware/%.o $(BUILD)/fuzz/tests/fuzz/fuzz_efi_%.o: \
  HOST_FLAGS := $(HOST_EFI_FLAGS)
$(BUILD)/fuzz/%.o: %.c | deps
	$(call say,CC  )
	mkdir -p $(@D)
	clang $(HOST_FLAGS) -fsanitize=fuzzer-no-link $(FUZZ_INC) -MMD -MP -c $< -o $@

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $(FUZZ_OBJ)
	$(call say,LD  )
	clang $(HOST_FLAGS) -fsanitize=fuzzer $^ -o $@ -lcmocka

$(BUILD)/fuzz/fuzz_efi_%: $(BUILD)/fuzz/tests/fuzz/fuzz_efi_%.o $(FUZZ_EFI_OBJ) $(FUZZ_OBJ)
	$(call say,LD  )
	clang $(HOST_FLAGS) -fsanitize=fuzzer $^ -o $@ $(LINK_HOST_EFI)

# -k: a finding fails the whole, and does not keep the others from searching.
fuzz:
	+$(MAKE) --no-print-directory -k $(patsubst $(BUILD)/fuzz/fuzz_%,fuzz-%,$(FUZZ_BIN))
fuzz-%: $(BUILD)/fuzz/fuzz_%
	tests/fuzz/run $< tests/fuzz/corpus/$* $(FUZZ_SECONDS)

# Static checks; each fails the build on its own
SOURCES   := $(wildcard include/*/*.h driver/*/*.[ch] driver/*/*/*.[ch] app/*.[ch] app/*/*.[ch] tests/*/*.[ch] \
             tests/menios/*/*.h tests/menios/*/*/*.h)
TIDY_SRC  := $(LIB_SRC) $(CORE_SRC) $(APP_SRC) $(GLUE_SRC) $(wildcard driver/efi/*.c driver/kernel/*.c)

ANALYZED  := $(patsubst %.c,$(BUILD)/analyzed/%.o,$(TIDY_SRC))
TIDY_FLAGS = $(filter-out -maccumulate-outgoing-args $(SMALLER),$(EFI_FLAGS)) $(GLUE_INC)
# One file a process: behind another one, clang-tidy 14 takes a va_list for uninitialized
$(BUILD)/analyzed/%.o: %.c .clang-tidy | deps
	$(call say,CHK )
	mkdir -p $(@D)
	clang-tidy --quiet $< -- $(TIDY_FLAGS) 2>/dev/null
	gcc $(EFI_FLAGS) $(GLUE_INC) -fanalyzer -MMD -MP -c $< -o $@

check: deps images $(REGISTERS) $(ANALYZED) $(VENDORED)
	$(REGISTERS)
	$(if $(filter x86_64,$(ARCH)),tools/sizes --build $(BUILD) >$(BUILD)/sizes.txt)
	tools/check-layers
	tools/check-circles $(BUILD)/efi
	clang-format --dry-run -Werror $(SOURCES)
	awk 'length > 120 {print FILENAME ":" FNR ": over 120 columns"; bad = 1} END {exit bad}' $(SOURCES)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 -Iinclude \
	  --suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches driver app

# Register accesses per frame, counted in QEMU's trace; fails above the price list
count: all $(BUILD)/tests/count.efi
	tools/count-accesses --build $(BUILD) --nic e1000
	tools/count-accesses --build $(BUILD) --nic e1000e
	tools/count-accesses --build $(BUILD) --nic virtio-net-pci

# Instructions per frame by path, compared with tests/instructions/table.txt; -update takes them as they are
instructions: $(PATHS)
	tools/instructions --build $(BUILD)
instructions-update: $(PATHS)
	tools/instructions --build $(BUILD) --update

# Where the bytes of the images are; fails when a driver has more than 64 KiB
sizes: images
	tools/sizes --build $(BUILD)

# Our drivers and their rivals side by side; no part of `test`
bench: all $(addprefix $(BUILD)/tests/,bench.efi ceiling.efi costs.efi hello.efi kernel.efi)
	tools/bench --build $(BUILD) $(BENCH)

# Frames without pause across the hand-over; both sides count
handoff-demo: all $(KERNELS)
	tools/handoff-demo --build $(BUILD) --nic e1000
	tools/handoff-demo --build $(BUILD) --nic e1000e
	tools/handoff-demo --build $(BUILD) --nic e1000 --interrupts intx --rate 4000 --frames 8000 --ring 1024
	tools/handoff-demo --build $(BUILD) --nic e1000e --interrupts msi --rate 4000 --frames 8000 --ring 1024
	tools/handoff-demo --build $(BUILD) --nic e1000e --interrupts msix --rate 10000 --frames 20000 --ring 4096
	tools/handoff-demo --build $(BUILD) --nic e1000e --interrupts msix --rate 10000 --frames 20000 --ring 4096 --moderation 500
	tools/handoff-demo --build $(BUILD) --nic e1000e --gap 3000 --frames 4000 --ring 4096
	tools/handoff-demo --build $(BUILD) --nic e1000e --gap 3000 --frames 4000 --ring 256
	tools/handoff-demo --build $(BUILD) --nic virtio-net-pci
	tools/handoff-demo --build $(BUILD) --nic virtio-net-pci --interrupts intx --rate 4000 --frames 8000
	tools/handoff-demo --build $(BUILD) --nic virtio-net-pci --interrupts msix --rate 10000 --frames 20000
	tools/handoff-demo --build $(BUILD) --nic virtio-net-pci --quiet
	tools/handoff-demo --build $(BUILD) --nic e1000 --interrupts intx --netconsole
	tools/handoff-demo --build $(BUILD) --nic virtio-net-pci --interrupts msix --netconsole

# From a bare NIC to a kernel that answers pings over it: one command, timed
boot-demo: all $(KERNELS)
	tools/boot-demo --build $(BUILD) --nic $(NIC)

# A million frames each way through SNP, with everything that may happen on the way
soak: all $(BUILD)/tests/soak.efi
	tools/soak --build $(BUILD) --nic e1000 --frames $(SOAK_FRAMES)
	tools/soak --build $(BUILD) --nic e1000e --frames $(SOAK_FRAMES)
	tools/soak --build $(BUILD) --nic virtio-net-pci --frames $(SOAK_FRAMES)

# What the boot tests boot, and the other compiler's images: those for x86-64 are booted as well.
test-programs: all usb $(TEST_EFI) $(KERNELS) other-compiler other-processors
other-compiler: deps
	$(MAKE) --no-print-directory images BUILD=$(BUILD)/clang CC=clang
	$(MAKE) --no-print-directory images ARCH=aarch64 BUILD=$(BUILD)/clang/aarch64 CC=clang

# Everything, built on all processors unless -j says otherwise
test: deps
	$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) \
	  check unit coverage $(FUZZ_BIN) test-programs $(BUILD)/menios.o $(PATHS)
	BUILD=$(BUILD) tests/run --slowest --suite tests/tools --suite tests/qemu $(UNIT_BIN) $(FUZZ_BIN)

# More of AArch64 and ia32 than `test` has: every NIC and the option ROMs booted, and the unit tests of the portable part
# compiled for AArch64 and run by qemu-aarch64, with cmocka and lwIP unpacked beside them. No sanitizers there, and not
# the warning that is wrong without them.
FOREIGN       := $(BUILD)/foreign
FOREIGN_ROOT  := $(abspath $(FOREIGN))/root
FOREIGN_TESTS := $(filter-out test_efi_% test_cmd_% test_family% test_menios%,$(UNIT_BIN:$(BUILD)/%=%))
FOREIGN_CC    := aarch64-linux-gnu-gcc -isystem $(FOREIGN_ROOT)/usr/include -L$(FOREIGN_ROOT)/usr/lib/aarch64-linux-gnu
$(FOREIGN)/root: tools/foreign-packages
	$(call say,APT )
	tools/foreign-packages arm64 $@ libcmocka-dev libcmocka0 liblwip-dev liblwip0
	touch $@
foreign-unit: deps
	tools/install-packages tools/packages-arch.txt
	$(MAKE) --no-print-directory $(FOREIGN)/root
	$(MAKE) --no-print-directory BUILD=$(FOREIGN) HOSTCC='$(FOREIGN_CC)' HOST_WATCH='-O1 -Wno-maybe-uninitialized' $(FOREIGN_TESTS:%=$(FOREIGN)/%)
	export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu; failed=; \
	for test in $(FOREIGN_TESTS); do \
	  if qemu-aarch64 -E LD_LIBRARY_PATH=$(FOREIGN_ROOT)/usr/lib/aarch64-linux-gnu $(FOREIGN)/$$test >$(FOREIGN)/$$test.txt 2>&1; \
	  then echo "ok   $$test on AArch64"; else cat $(FOREIGN)/$$test.txt; echo "FAIL $$test on AArch64"; failed="$$failed $$test"; fi; \
	done; [ -z "$$failed" ] || { echo "failed on AArch64:$$failed"; exit 1; }
	echo '$(words $(FOREIGN_TESTS)) test programs passed on AArch64'
test-arch: test-programs foreign-unit
	BUILD=$(BUILD) tests/run --slowest --suite tests/processors

# The last commit on other machines; no part of `test`. tools/test-distros --help says what it needs.
test-distros:
	tools/test-distros

clean:
	rm -rf $(BUILD)

.SECONDARY:
-include $(shell find $(BUILD) -path $(BUILD)/distros -prune -o -name '*.d' -type f -print 2>/dev/null)
