# Two commands for a fresh machine: `make matrix` and `make test`. Both build with one profile, each thing once.
.PHONY: matrix test

# What the peers need to be built. Installs only what is missing; a peer that still cannot be built costs its columns.
install = -$(1) peers --install

matrix:
	$(call install,cargo run --release --locked --)
	cargo run --release --locked -- run
	cargo run --release --locked -- run --revision editors-copy

# Tests need more features of some crates: the program is the one that they were built with.
test:
	cargo test --release --locked --no-run
	$(call install,$(or $(CARGO_TARGET_DIR),target)/release/reqmtls)
	cargo test --release --locked
