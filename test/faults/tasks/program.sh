#!/bin/sh
# An executable task that writes down when it begins and ends; its payload has `key`, `file` and `seconds`.
read -r payload || :
text() { printf %s "$payload" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
key=$(text key) file=$(text file) seconds=$(text seconds)
note() {
  echo "{\"job\":$JOBQ_JOB_ID,\"attempt\":$JOBQ_ATTEMPT,\"token\":$JOBQ_LEASE,\"key\":\"$key\",\"phase\":\"$1\"}" >>"$file"
}
note begin
sleep "$seconds"
note end
