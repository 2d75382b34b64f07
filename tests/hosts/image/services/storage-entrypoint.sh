#!/bin/sh
# Starts the storage with the key in STORAGE_KEY_FILE, ACCESS:SECRET.
set -eu
key=$(cat "$STORAGE_KEY_FILE")
exec s3s-fs --host 0.0.0.0 --port 8000 --access-key "${key%%:*}" --secret-key "${key#*:}" /data
