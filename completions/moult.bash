# Completion of the moult command for bash: subcommands, options, targets that listen, files.

_moult_targets() {
  # Lines of `moult ps` after the heading: PID PROGRAM STATE ...
  moult ps --timeout 0.3 2>/dev/null | awk 'NR > 1 && $3 == "listening" { print $1; print $2 }' | sort -u
}

_moult_updates() {
  # "  ID  NAME  applied, ..." below "updates:": those in force, and those that wait and can be withdrawn
  moult status "$1" --timeout 0.3 2>/dev/null | awk '/^  [0-9]+  / && $3 ~ /^(applied|queued)/ { print $1; print $2 }'
}

_moult() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command="" word index positionals=()
  local commands="ps apply check build diff live checksum status threads functions objects log rollback set"
  COMPREPLY=()

  for ((index = 1; index < COMP_CWORD; ++index)); do
    word=${COMP_WORDS[index]}
    case $word in
      --timeout | --after | --most | -p | --build-dir | -o | --output | --source | --patch | --rename | --new | --reset) ((++index)) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else positionals+=("$word"); fi ;;
    esac
  done

  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$current")
    return
  fi
  case $previous in
    -p | --build-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
    -o | --output | --source | --patch) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    --timeout | --after | --most | --rename | --new | --reset) return ;;
  esac
  if [[ $current == -* ]]; then
    local options="--help --json --timeout"
    case $command in
      apply) options+=" --force --build-dir --verbose --keep-trying" ;;
      check) options+=" --force --build-dir --verbose" ;;
      rollback) options+=" --all" ;;
      build) options+=" --force --output --build-dir --source --patch --rename --new --reset --after --verbose" ;;
      live) options+=" --build-dir --once --rename --new --reset --after --verbose" ;;
      diff) options+=" --build-dir --source --patch --rename --new --reset --verbose" ;;
      log) options+=" --follow --after" ;;
      objects) options+=" --follow" ;;
      functions) options+=" --most" ;;
      threads) options+=" --locals" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  [[ $command == ps ]] && return
  if [[ $command == checksum || $command == diff ]]; then
    ((${#positionals[@]} == 0)) && { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
    return
  fi
  if ((${#positionals[@]} == 0)); then
    mapfile -t COMPREPLY < <(compgen -W "$(_moult_targets)" -- "$current")
    return
  fi
  case $command in
    apply)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
    check | build)
      ((${#positionals[@]} == 1)) && { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); }
      ;;
    rollback)
      ((${#positionals[@]} == 1)) &&
        mapfile -t COMPREPLY < <(compgen -W "$(_moult_updates "${positionals[0]}")" -- "$current")
      ;;
    set)
      if ((${#positionals[@]} == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "loglevel logpath" -- "$current")
      elif [[ ${positionals[1]} == loglevel ]]; then
        mapfile -t COMPREPLY < <(compgen -W "0 1 2" -- "$current")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
      fi
      ;;
  esac
}

complete -F _moult moult
