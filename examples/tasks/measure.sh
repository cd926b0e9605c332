#!/bin/sh
# Measures a folder. Any executable is a task: its payload comes as JSON on stdin, here a string.
#   jobq enqueue measure '"/usr/share/doc"' --wait --follow
set -eu
folder=$(sed 's/^"//; s/"$//')

# 75 says "not now": the job comes back after its backoff, and none of its attempts is used up.
if [ ! -d "$folder" ]; then
  echo "there is no folder $folder yet"
  exit 75
fi

# A line like this is progress; it is shown by `jobq show` and kept out of the log.
echo 'JOBQ_PROGRESS 0.1 counting the files'
files=$(find "$folder" -type f | wc -l)
echo 'JOBQ_PROGRESS 0.6 adding up their sizes'
kilobytes=$(du -sk "$folder" | cut -f 1)
echo "attempt $JOBQ_ATTEMPT of job $JOBQ_JOB_ID measured $folder"

# The last line of stdout is the result if it is JSON.
echo "{\"files\": $((files)), \"kilobytes\": $kilobytes}"
