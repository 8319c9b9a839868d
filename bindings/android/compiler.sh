#!/bin/sh
# Stands where a C compiler for Android would, while only the Rust half is being checked for its types: it preprocesses with
# this machine's compiler (so that build scripts learn its family, and OpenSSL's settings from OpenSSL's own headers), leaves
# an empty file in place of each object, and refuses to link. Nothing it leaves can run anywhere.
set -eu

object=
compiles=false
preprocesses=false
takes_name=false
for argument; do
    shift
    if $takes_name; then
        object=$argument
        takes_name=false
    fi
    case $argument in
    -E | -v | --version) preprocesses=true ;;
    -c) compiles=true ;;
    -o) takes_name=true ;;
    # What is said of the phone's processor, this machine's compiler does not know.
    -m* | --target=*) continue ;;
    esac
    set -- "$@" "$argument"
done

if $preprocesses; then
    exec cc "$@"
fi
if ! $compiles || [ -z "$object" ]; then
    echo "此脚本不链接 · this stand-in links nothing: $*" >&2
    exit 1
fi
: >"$object"
