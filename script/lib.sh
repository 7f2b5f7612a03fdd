# shellcheck shell=bash disable=SC2154
# Sourced by script/server and script/test, which set $state (a directory for pid files and logs)
# and $keep (a file descriptor that no child may hold open) before they start anything.

set -euo pipefail
unset CDPATH "${!PG@}"

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# A fresh rustup changes only the PATH of shells started after it.
PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin:/usr/sbin:/sbin

say() { printf '%s\n' "$*"; }
die() {
  printf 'script/%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# A signal during a launch waits until the launch is on record, or the process would be left behind.
launching=''
caught=''
on_signal() {
  caught=$1
  [[ -n $launching ]] || exit "$1"
}
trap 'on_signal 129' HUP
trap 'on_signal 130' INT
trap 'on_signal 141' PIPE
trap 'on_signal 143' TERM

# --- What has to be installed -------------------------------------------------------------------

at_least() { printf '%s\n' "$2" "$1" | sort -VC; }

# find_postgres MAJOR|any: sets $postgres to the programs of that Postgres, or of the newest from 14 on.
find_postgres() {
  local dir major best=0
  for dir in /usr/lib/postgresql/*/bin "$(pg_config --bindir 2>/dev/null)" \
    "$(dirname -- "$(command -v postgres)")"; do
    [[ -x $dir/postgres && -x $dir/initdb && -x $dir/pg_isready ]] || continue
    [[ $("$dir/postgres" --version) =~ [0-9]+ ]] || continue
    major=${BASH_REMATCH[0]}
    if ((major >= 14 && major > best)) && [[ $1 == any || $1 == "$major" ]]; then
      best=$major
      postgres=$dir
    fi
  done
  ((best > 0))
}

find_redis() {
  redis_server=$(command -v redis-server) || return 1
  [[ $("$redis_server" --version) =~ v=([0-9.]+) ]] && at_least "${BASH_REMATCH[1]}" 6.2
}

find_node() {
  command -v npm >/dev/null && command -v node >/dev/null && at_least "$(node --version)" v18
}

# missing TOOL...: names the Debian packages that this machine still needs.
missing() {
  local tool
  for tool; do
    case $tool in
      postgres) find_postgres any || say postgresql ;;
      redis) find_redis || say redis-server ;;
      cc) command -v cc >/dev/null || say build-essential ;;
      node) find_node || printf '%s\n' nodejs npm ;;
    esac
  done
}

apt_install() (
  policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    # Without this, Debian starts the packages' own services, which nothing here uses.
    trap 'rm -f "$policy"' EXIT
    trap 'exit 143' TERM HUP
    trap 'exit 130' INT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" </dev/null
)

# ensure_tools TOOL...
ensure_tools() {
  local packages needed='PostgreSQL 14+, Redis 6.2+, Node 18+ and a C compiler'
  command -v cargo >/dev/null ||
    die "cargo was not found. Install Rust with rustup, open a new shell and run this again."
  mapfile -t packages < <(missing "$@")
  if ((${#packages[@]} > 0)); then
    command -v apt-get >/dev/null ||
      die "missing or too old (by Debian's names): ${packages[*]}. Needed: $needed."
    if ((EUID != 0)); then
      die "some packages are missing. Run this command, then this script again:
  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages[*]}"
    fi
    say "Installing ${packages[*]}"
    apt_install "${packages[@]}"
    hash -r
    [[ -z $(missing "$@") ]] ||
      die "this Debian's packages are too old. Needed: $needed."
  fi
  find_postgres any
  find_redis

  # Postgres refuses to run as root. setpriv becomes the program it starts, whereas runuser would stay
  # between us and Postgres and kill it two seconds after a signal. Postgres must also be able to
  # return to its working directory, which the checkout may not allow.
  as_service=(env --chdir=/)
  if ((EUID == 0)); then
    getent passwd postgres >/dev/null ||
      die "Postgres does not run as root and there is no user 'postgres'. Run this as an ordinary user."
    as_service+=(setpriv --reuid=postgres --regid=postgres --init-groups)
  fi
}

# --- Processes ----------------------------------------------------------------------------------

leads_session() {
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[3]} == "$1" ]]
}

# launch NAME COMMAND...: starts COMMAND in a session of its own, out of reach of the terminal's Ctrl-C,
# and sets $launched to its pid.
launch() {
  local name=$1
  shift
  launching=1
  # Bash makes background commands ignore SIGINT; env undoes that.
  (exec {keep}>&- && exec setsid env --default-signal "$@") </dev/null &
  launched=$!
  say "$launched" >"$state/$name.pid"
  # Until then, neither a signal to its group nor a look at its command line would find it.
  until leads_session "$launched" || ! kill -0 "$launched" 2>/dev/null; do sleep 0.01 || true; done
  launching=''
  [[ -z $caught ]] || exit "$caught"
}

# run COMMAND...: as in the foreground, except that a signal to this script ends it at once, with all
# it started.
run() {
  local status=0
  launch command "$@"
  wait "$launched" || status=$?
  stop_command
  return "$status"
}

stop_command() {
  local pid i
  [[ -s $state/command.pid ]] || return 0
  read -r pid <"$state/command.pid"
  kill -TERM -- "-$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    kill -0 -- "-$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
  rm -f "$state/command.pid"
}

# ours PID MARK: pids are reused, so a pid file proves nothing unless the command line bears our MARK.
ours() {
  [[ $1 =~ ^[0-9]+$ ]] && tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -e "$2"
}

# stop PIDFILE MARK SIGNAL SECONDS
stop() {
  local pid='' i
  [[ -e $1 ]] || return 0
  read -r pid <"$1" || true
  if ours "$pid" "$2"; then
    kill -s "$3" "$pid" 2>/dev/null || true
    for ((i = 0; i < $4 * 10; i++)); do
      ours "$pid" "$2" || break
      sleep 0.1
    done
    if ours "$pid" "$2"; then kill -KILL "$pid" 2>/dev/null || true; fi
  fi
  rm -f "$1"
}

# --- Postgres and Redis -------------------------------------------------------------------------
# Both listen only on sockets in a directory that nobody else can enter, which is what makes it safe
# that Postgres trusts every connection.

# make_home HOME RUN: HOME is to hold the data, RUN the sockets.
make_home() {
  home=$1 data=$1/postgres run=$2
  mkdir -p "$home"
  if ((EUID == 0)); then
    chmod 711 "$home"
    install_dir=(install -d -m 700 -o postgres -g "$(id -g postgres)")
  else
    install_dir=(install -d -m 700)
  fi
  "${install_dir[@]}" "$run"
}

# start_postgres [NAME=VALUE...]
start_postgres() {
  local settings=() setting i
  if [[ ! -e $data/PG_VERSION ]]; then
    # In two steps, so that an interrupted initdb leaves nothing that looks like a cluster.
    rm -rf "$data" "$data.new"
    "${install_dir[@]}" "$data.new"
    # Not by way of run: initdb killed half-way would leave shared memory behind, so it may finish.
    setsid "${as_service[@]}" "$postgres/initdb" -D "$data.new" -U postgres --auth=trust \
      --encoding=UTF8 --locale=C.UTF-8 </dev/null >"$state/initdb.log" 2>&1 ||
      give_up "initdb failed" "$state/initdb.log"
    mv "$data.new" "$data"
  fi
  # Postgres believes the pid in a stale lock, and it may be another process's by now.
  rm -f "$run"/.s.PGSQL.5432*
  # mmap, since Postgres stopped while it starts leaves the usual kind of shared memory behind.
  for setting in listen_addresses= port=5432 "unix_socket_directories=$run" \
    dynamic_shared_memory_type=mmap "$@"; do
    settings+=(-c "$setting")
  done
  launch postgres "${as_service[@]}" "$postgres/postgres" -D "$data" "${settings[@]}" \
    >"$state/postgres.log" 2>&1
  for ((i = 0; i < 1200; i++)); do
    "$postgres/pg_isready" -q -h "$run" -p 5432 -d postgres -U postgres && return
    kill -0 "$launched" 2>/dev/null || break
    sleep 0.1
  done
  give_up "Postgres did not start" "$state/postgres.log"
}

start_redis() {
  local i
  rm -f "$run/redis.sock"
  launch redis "${as_service[@]}" "$redis_server" --port 0 --unixsocket "$run/redis.sock" \
    --unixsocketperm 700 --dir "$run" --save '' --appendonly no --loglevel warning \
    >"$state/redis.log" 2>&1
  for ((i = 0; i < 100; i++)); do
    [[ ! -S $run/redis.sock ]] || return 0
    kill -0 "$launched" 2>/dev/null || break
    sleep 0.1
  done
  give_up "Redis did not start" "$state/redis.log"
}

# stop_services SIGNAL: SIGNAL is for Postgres.
stop_services() {
  stop "$state/redis.pid" "$run/redis.sock" TERM 10
  stop "$state/postgres.pid" "$data" "$1" 60
  # Usually gone by now; if not, its pid may be the only one on record, or else stale.
  stop "$data/postmaster.pid" "$data" "$1" 60
}

# give_up MESSAGE LOG
give_up() {
  tail -n 20 "$2" >&2 || true
  die "$1. The lines above are the end of ${2#"$root/"}."
}

# postgres_url ROLE DATABASE
postgres_url() { say "postgresql://$1@${run//\//%2F}/$2"; }
redis_url() { say "redis+unix://$run/redis.sock"; }
