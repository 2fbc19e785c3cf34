# Two commands for a fresh machine: `make matrix` and `make test`. What both build is built once, but for the program:
# `make matrix` waits for the compiler more than for the program, so it has that one compiled without optimisation.
.PHONY: matrix test

# What the peers need to be built is installed, as far as it is missing; a peer that still cannot be built costs its columns.
# The second run takes place whatever the first one finds.

quickly = cargo run --release --locked --config profile.release.package.reqmtls.opt-level=0

matrix:
	$(quickly) -- run --install; code=$$?; \
	$(quickly) -- run --revision editors-copy && exit $$code

# Tests need more features of some crates: the program is the one that they were built with.
test:
	cargo test --release --locked --no-run
	-$(or $(CARGO_TARGET_DIR),target)/release/reqmtls peers --install
	cargo test --release --locked
