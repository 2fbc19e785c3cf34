# Two commands for a fresh machine: `make matrix` and `make test`. Both build with one profile, each thing once.
.PHONY: matrix test

# What the peers need to be built is installed, as far as it is missing; a peer that still cannot be built costs its columns.
# The second run takes place whatever the first one finds.

matrix:
	cargo run --release --locked -- run --install; code=$$?; \
	cargo run --release --locked -- run --revision editors-copy && exit $$code

# Tests need more features of some crates: the program is the one that they were built with.
test:
	cargo test --release --locked --no-run
	-$(or $(CARGO_TARGET_DIR),target)/release/reqmtls peers --install
	cargo test --release --locked
