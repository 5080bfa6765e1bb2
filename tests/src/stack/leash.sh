# The leash of one server: it lives exactly as long as the process that started it, and the server
# and its folder do not live longer. No process can end without the system closing its pipes, not
# even by SIGKILL; that end of input is the signal we wait for.
#
# usage: sh leash.sh FOLDER SIGNAL      (SIGNAL ends the server for good)
# Each line of input is a request, and is answered by one line:
#   run COMMAND     runs it to its end                            -> its exit code
#   start COMMAND   starts the server in the background           -> its process id
#   halt SIGNAL     sends the signal and waits for the server     -> its exit code
#   signal SIGNAL   sends the signal                              -> kill's exit code
folder=$1 last=$2 server=
# Ctrl-C and a closing terminal are for the process that holds us; its end is ours. And when it ends
# before it has read an answer, we still have to clean up.
trap '' INT QUIT TERM HUP PIPE

while read -r verb rest; do
  case $verb in
    run)
      (trap - INT QUIT TERM HUP PIPE; eval "$rest") </dev/null >>log 2>&1
      echo "$?" ;;
    start)
      (trap - INT QUIT TERM HUP PIPE; eval "exec $rest") </dev/null >>log 2>&1 &
      server=$!
      echo "$server" ;;
    halt)
      kill -s "$rest" "$server" && wait "$server"
      echo "$?"
      server= ;;
    signal)
      kill -s "$rest" "$server"
      echo "$?" ;;
  esac
done

if [ -n "$server" ]; then
  kill -s "$last" "$server"
  kill -s CONT "$server" # a server that a test had suspended must wake to die
  wait "$server"
fi
if [ -f leftovers ]; then # what the server leaves outside of its folder, one path a line
  while read -r path; do rm -f "$path"; done <leftovers
fi
cd / && rm -rf "$folder"
