# Two commands for a fresh machine: `make matrix` and `make test`.
.PHONY: matrix test setup

matrix: setup
	cargo run --release --locked -- run
	cargo run --release --locked -- run --revision editors-copy

test: setup
	cargo test --locked

# What the peers need to be built. Installs only what is missing; a peer that still cannot be built costs its columns.
setup:
	-cargo run --release --locked -- peers --install
