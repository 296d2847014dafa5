#!/bin/sh
# Tells a user which file systems are nearly full, for cron: */15 * * * * disk-alert.sh alice 90
# Prints nothing while all is well, so that cron sends no mail.
user=$1 most=$2
full=$(df -P | awk -v most="$most" 'NR > 1 && $5 + 0 >= most { print $6 " is " $5 " full" }')
[ -z "$full" ] && exit 0
printf '%s: %s\n' "$(uname -n)" "$full" | lanchat send --quiet --name disks --to "$user" -
