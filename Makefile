# Two commands for a fresh machine: `make matrix` and `make test`.
.PHONY: matrix test setup

matrix: setup
	cargo run --release --locked -- run
	cargo run --release --locked -- run --revision editors-copy

test: setup
	cargo test --locked

# What the FFI peers need to be built. Installs only what is missing.
setup:
	@./peers/setup
