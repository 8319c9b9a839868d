#!/bin/sh
# Unpacks the newest Rust that Debian has, with the sources of its standard library, into a folder of its own. What is
# installed stays as it is: Debian's cargo would otherwise stand beside the one that builds the workspace.
#
#   sh bindings/android/debian-rust.sh FOLDER
#   WANHU_ANDROID_RUST=FOLDER/usr cargo xtask android
set -eu

if [ $# -ne 1 ]; then
    echo "用法 · usage: sh $0 FOLDER" >&2
    exit 2
fi
for tool in apt-get dpkg-deb; do
    if ! command -v "$tool" >/dev/null; then
        echo "缺少 · missing: $tool (Debian)" >&2
        exit 1
    fi
done
wanted="rustc-web cargo-web rust-web-src"
# One that was not installed brings libraries that are not there either; a rehearsed installation names them.
# shellcheck disable=SC2086 # a list of names
rehearsal=$(apt-get --simulate install --no-install-recommends $wanted)
packages=$(echo "$rehearsal" | awk '/^Inst / { print $2 }')
for package in $wanted; do
    case " $(echo "$packages" | tr '\n' ' ') " in
    *" $package "*) ;;
    *)
        echo "已安装 $package · $package is installed: WANHU_ANDROID_RUST=/usr" >&2
        exit 1
        ;;
    esac
done

mkdir -p "$1"
cd "$1"
# shellcheck disable=SC2086
apt-get download $packages
for file in *.deb; do
    dpkg-deb --extract "$file" .
    rm "$file"
done
for folder in usr/lib/*/; do
    LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export LD_LIBRARY_PATH
usr/bin/rustc --version
usr/bin/cargo --version
echo "WANHU_ANDROID_RUST=$PWD/usr"
