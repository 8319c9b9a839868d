#!/bin/sh
# 本项目未运行过此脚本 · THE PROJECT HAS NOT RUN THIS SCRIPT: it needs the Android NDK, which was not at hand. Its last
# step, the check of pages, was run on libraries of other machines.
#
# Builds the ledger for the three processors that Android phones and emulators have, writes its Kotlin half, and looks at
# what came out. Beforehand:
#
#   export ANDROID_NDK_HOME=...          r28 or newer
#   rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
#   cargo install --locked cargo-ndk@4.1.2
#   perl and make, for OpenSSL
#
#   sh bindings/android/build-android.sh [FOLDER]      target/android-app where none is named
#
# FOLDER/jniLibs goes to the app's src/main/jniLibs, FOLDER/kotlin to its sources together with
# bindings/kotlin/src/main/kotlin.
set -eu

# The oldest Android of the app: 8.0.
api=26
abis="arm64-v8a armeabi-v7a x86_64"
triples="aarch64-linux-android armv7-linux-androideabi x86_64-linux-android"

cd "$(dirname "$0")/../.."
out=${1:-target/android-app}

lacks=
lack() {
    lacks="$lacks
  $1"
}
for tool in cargo rustup perl make; do
    command -v "$tool" >/dev/null || lack "$tool"
done
command -v cargo-ndk >/dev/null || lack "cargo-ndk: cargo install --locked cargo-ndk@4.1.2"
targets=$(rustup target list --installed 2>/dev/null || true)
for triple in $triples; do
    echo "$targets" | grep -qx "$triple" || lack "rustup target add $triple"
done
strip=
for program in "${ANDROID_NDK_HOME:-/nowhere}"/toolchains/llvm/prebuilt/*/bin/llvm-strip; do
    [ -x "$program" ] && strip=$program
done
[ -n "$strip" ] || lack "ANDROID_NDK_HOME: NDK r28+"
if [ -n "$lacks" ]; then
    echo "缺少 · missing:$lacks" >&2
    exit 1
fi
grep '^Pkg.Revision' "$ANDROID_NDK_HOME/source.properties"

rm -rf "$out/jniLibs" "$out/kotlin"
mkdir -p "$out/kotlin"
set --
for abi in $abis; do
    set -- "$@" --target "$abi"
done
cargo ndk "$@" --platform "$api" --output-dir "$out/jniLibs" build --locked --release --package wanhu-bindings

# The generator reads the symbols that stripping takes away. What crosses is the same on every processor, so the Kotlin
# half comes from one library and is compared with that of the others.
for abi in $abis; do
    cargo run --quiet --locked --package wanhu-bindgen --bin uniffi-bindgen -- \
        generate "$out/jniLibs/$abi/libwanhu.so" --language kotlin --no-format --out-dir "$out/kotlin-$abi"
done
for abi in $abis; do
    diff -r "$out/kotlin-arm64-v8a" "$out/kotlin-$abi"
done
rm -rf "$out/kotlin"
mv "$out/kotlin-arm64-v8a" "$out/kotlin"
rm -rf "$out"/kotlin-*

set --
for abi in $abis; do
    "$strip" --strip-unneeded "$out/jniLibs/$abi/libwanhu.so"
    set -- "$@" "$out/jniLibs/$abi/libwanhu.so"
done
cargo xtask pages "$@"
ls -l "$@"
echo "未在设备上运行 · nothing of this has run on a device"
