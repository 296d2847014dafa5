# What CI runs, apart from the installation of its tools.
check:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    tsc -p web
    node --test web/tests/
    cargo test --locked
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# All tests; LANCHAT_REQUIRE_LAN=1 makes those fail that would be skipped without root.
test *args:
    cargo test --locked {{args}}

# Server and client on this machine only: nothing is sent to the network.
demo:
    cargo build --locked
    target/debug/lanchat serve --host 127.0.0.1 --no-discovery --name Demo & server=$!; \
        trap 'kill $server' EXIT; target/debug/lanchat --host 127.0.0.1 --no-discovery

# Write the man pages and completions anew.
docs:
    LANCHAT_RENEW=1 cargo test --locked --test integration generated

# Load over loopback; see benches/.
bench *args:
    cargo bench --locked {{args}}

# Mutants that no test notices, of a sample: needs cargo-mutants, hours for all modules; see .ci/mutants.
mutants *args:
    .ci/mutants {{args}}

# Packages and manifests, built and checked; see .ci/packages for what it needs.
packages *args:
    .ci/packages {{args}}
