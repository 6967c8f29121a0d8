# What people type. The work is done by cargo and by scripts/.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# `cc` links Rust programs and compiles SQLite.
BUILD_PACKAGES := gcc libc6-dev
PODMAN_PACKAGES := podman busybox-static
ifneq ($(shell id -u),0)
# Podman without root: subordinate ids, a network, a file system.
PODMAN_PACKAGES += uidmap slirp4netns fuse-overlayfs
endif
# The tests of systemd boot a machine of their own and install the package on it.
TEST_PACKAGES := $(BUILD_PACKAGES) $(PODMAN_PACKAGES) runc mariadb-server debootstrap binutils

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## build, start dagdad with two example pods, show them; leaves it running
	@scripts/install-packages $(BUILD_PACKAGES) $(PODMAN_PACKAGES)
	cargo build --release --package dagdad --package dagdactl
	@scripts/demo-start

.PHONY: demo-stop
demo-stop: ## end the demo and remove all that it made
	@scripts/demo-stop

.PHONY: test
test: ## install what the tests need, then lint, check dependencies, test everything
	@scripts/install-packages $(TEST_PACKAGES)
	@$(MAKE) --no-print-directory lint docs
	@scripts/check-dependencies
	@scripts/install-cargo-deb
	@scripts/run-tests

.PHONY: lint
lint: ## check format and clippy's opinion, all warnings are errors
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings

.PHONY: fuzz
fuzz: ## feed the readers of files and answers what nobody thought of, FUZZ_SECONDS=60 each
	@scripts/install-packages $(BUILD_PACKAGES) g++
	@scripts/fuzz

.PHONY: docs
docs: ## build the documentation of the code, private items too, all warnings are errors
	RUSTDOCFLAGS='--deny warnings --allow rustdoc::private_intra_doc_links' cargo doc --quiet --no-deps --workspace --document-private-items

.PHONY: package
package: ## build the Debian package and print its path
	@scripts/install-packages $(BUILD_PACKAGES) binutils
	@scripts/install-cargo-deb
	cargo build --release --package dagdad --package dagdactl
	@cargo deb --quiet --no-build --package dagdad

# As in make install DESTDIR=/tmp/image PREFIX=/usr
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
BINARIES ?= target/release
export DESTDIR PREFIX SYSCONFDIR BINARIES

target/release/dagdad target/release/dagdactl:
	cargo build --release --package dagdad --package dagdactl

.PHONY: install
install: $(BINARIES)/dagdad $(BINARIES)/dagdactl ## install below DESTDIR, programs and units below PREFIX (/usr/local)
	@scripts/install-files install

.PHONY: uninstall
uninstall: ## take away what install put there, but for configuration and state
	@scripts/install-files uninstall

.PHONY: bench
bench: ## measure the figures of the design beside their targets, release build, needs minutes
	@scripts/install-packages $(BUILD_PACKAGES) $(PODMAN_PACKAGES) runc
	cargo run --release --package dagda-tests --bin bench
	cargo bench --package dagdad --bench admission --bench engine
	DAGDA_SEEDS=10000 cargo test --release --package dagdad --lib -- --nocapture no_seed_breaks_an_invariant

.PHONY: faults
faults: ## do to a real box what may happen to it, show what holds then; FAULTS=disk picks some
	@scripts/install-packages $(TEST_PACKAGES) faketime
	cargo run --release --package dagda-tests --bin faults -- $(FAULTS)

.PHONY: generate
generate: ## write completions/ anew from the command trees
	cargo build --package dagdactl
	mkdir -p completions/man
	target/debug/dagdactl completions bash > completions/dagdactl.bash
	target/debug/dagdactl completions zsh > completions/_dagdactl
	target/debug/dagdactl completions fish > completions/dagdactl.fish
	target/debug/dagdactl man --out completions/man
	DAGDA_GENERATE=1 cargo test --quiet --package dagdad --test manual
