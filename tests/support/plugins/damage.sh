#!/bin/sh
# damage.sh <good.so> <folder>: files that are no loadable library, each wrong in one way.
set -eu
good=$1
folder=$2
# Cut inside the text: the headers promise pages the file does not have.
head -c 8192 "$good" > "$folder/bad-truncated.so"
head -c 10 "$good" > "$folder/bad-cut-header.so"
# Byte 4 of an ELF file is its class (1: 32 bits), bytes 18 and 19 its machine (183: 64-bit ARM).
cp "$good" "$folder/bad-elf-class.so"
printf '\001' | dd of="$folder/bad-elf-class.so" bs=1 seek=4 conv=notrunc status=none
cp "$good" "$folder/bad-elf-machine.so"
printf '\267\000' | dd of="$folder/bad-elf-machine.so" bs=1 seek=18 conv=notrunc status=none
printf 'this is text, not a library\n' > "$folder/bad-text.so"
: > "$folder/bad-empty.so"
