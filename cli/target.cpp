#include "target.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "base/proc.hpp"
#include "base/visible_text.hpp"
#include "console.hpp"
#include "failure.hpp"
#include "process_state.hpp"
#include "protocol/runtime_folder.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

std::optional<int> parse_pid(const std::string& text) {
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

[[noreturn]] void unreachable(ErrorCode code, const std::string& message) {
  throw CommandFailure(ExitCode::unreachable, code, message);
}

Target target_of_pid(int pid) {
  Target target{pid, program_of(pid), find_socket(pid).string()};
  std::error_code ignored;
  if (!fs::exists("/proc/" + std::to_string(pid), ignored))  // a killed program leaves its socket
    unreachable(ErrorCode::not_found, "there is no process " + std::to_string(pid) + "; moult ps lists the programs");
  if (!target.socket.empty()) return target;
  unreachable(ErrorCode::not_found, target.describe() +
                                        " has no listener: the program must keep a moult::Listener, and its runtime "
                                        "folder must be yours (XDG_RUNTIME_DIR)");
}

bool is_named(const std::string& program, const std::string& name) {
  if (program.empty()) return false;
  if (name.find('/') == std::string::npos) return base_name(program) == name;
  std::error_code ignored;
  return fs::weakly_canonical(name, ignored).string() == program;
}

[[noreturn]] void fail_as_ambiguous(const std::string& name, const std::vector<Target>& fitting) {
  std::string pids;
  for (const Target& each : fitting) pids += (pids.empty() ? "" : ", ") + std::to_string(each.pid);
  unreachable(ErrorCode::ambiguous, name + ": " + std::to_string(fitting.size()) +
                                        " programs of that name run; give one of the pids " + pids);
}

/// The socket's name says which process listens. Another one may have taken its place, or have pids of its own.
void check_peer(const Target& target, const std::optional<Peer>& peer) {
  const std::string objection = objection_to_peer(target.pid, peer, user_of(target.pid));
  if (!objection.empty())
    unreachable(ErrorCode::permission_denied, target.describe() + ": " + target.socket + objection);
}

/// True when its listener still answers.
bool answers(const Target& target) {
  const Deadline soon = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  try {
    Client client = Client::connect(target.socket, soon);
    check_peer(target, client.peer());
    client.call(StatusRequest{}, soon);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// No answer in time: the process is stopped, the file's entry hangs, or the answer is slow.
[[noreturn]] void fail_as_silent(const Target& target, const Command& command) {
  std::string why = obstacle_in_state(target.pid);
  const bool asked_how_it_is = std::holds_alternative<StatusRequest>(command);
  if (why.empty() && (asked_how_it_is || !answers(target)))
    why = "gives no answer in time though it is not stopped; moult's threads get no turn, or wait for something";
  else if (why.empty() && std::holds_alternative<CheckRequest>(command))
    why = "answers, but the file's entry (MOULT_UPDATE) has not returned in time; it keeps running";
  else if (const auto* const update = std::get_if<UpdateRequest>(&command); why.empty() && update != nullptr)
    why = std::string(
              "answers, but the file's entry (MOULT_UPDATE) has not returned in time; it keeps running, and "
              "what it submits is ") +
          (update->keep_trying ? "applied" : "withdrawn");
  else if (why.empty())
    why = "answers, but not to this in time; give it longer with --timeout";
  throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out, target.describe() + " " + why);
}

}  // namespace

std::string Target::describe() const {
  const std::string process = "pid " + std::to_string(pid);
  return program.empty() ? process : visible(base_name(program)) + " (" + process + ")";
}

std::string objection_to_peer(int pid, const std::optional<Peer>& peer, std::optional<uid_t> user) {
  const std::string not_it = "; it is not told anything; ";
  if (!peer || peer->pid == 0)
    return " is served by a process that is not visible here" + not_it + "run moult in that process's PID namespace";
  if (peer->pid != pid)
    return " is served by process " + std::to_string(peer->pid) + not_it +
           "run moult in that process's PID namespace, or remove the socket";
  if (peer->user != 0 && peer->user != ::geteuid() && peer->user != user)
    return " is served by user " + std::to_string(peer->user) + not_it + "remove the socket";
  return {};
}

std::string Target::running_file() const { return proc::folder_of(pid) + "/exe"; }

Target find_target(const std::string& name) {
  if (const std::optional<int> pid = parse_pid(name)) return target_of_pid(*pid);
  std::vector<Target> fitting;
  for (const FoundSocket& found : find_sockets(RuntimeSurroundings::of_this_process())) {
    Target target{found.pid, program_of(found.pid), found.path.string()};
    if (is_named(target.program, name)) fitting.push_back(std::move(target));
  }
  if (fitting.size() > 1) fail_as_ambiguous(name, fitting);
  if (fitting.empty())
    unreachable(ErrorCode::not_found,
                name + ": no program of that name listens; moult ps lists those that do, and a pid works too");
  return fitting.front();
}

Client connect(const Target& target, Deadline deadline) {
  try {
    Client client = Client::connect(target.socket, deadline);
    check_peer(target, client.peer());
    return client;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::timed_out) fail_as_silent(target, StatusRequest{});
    unreachable(error.code(), target.describe() + ": " + error.what());
  }
}

std::string ask(const Target& target, const Command& command, std::chrono::duration<double> timeout,
                const std::function<void(const std::string&)>& hear) {
  const Deadline deadline =
      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  Client client = connect(target, deadline);
  try {
    std::string line = client.call(command, deadline);
    for (; hear; line = client.read_line(deadline)) {
      const std::optional<std::string> notice = parse_notice(printable(line));
      if (!notice) break;
      hear(*notice);
    }
    return line;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::timed_out) fail_as_silent(target, command);
    unreachable(error.code(), target.describe() + ": " + error.what());
  }
}

void require_same_files(const Target& target) {
  if (has_other_root(target.pid))
    throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                         target.describe() +
                             " runs in a container or a chroot, where the files of this command are not; run moult in "
                             "the container; a program in a chroot cannot be updated");
}

Readers readers_for(const Target& target) {
  return user_of(target.pid).value_or(::geteuid()) == ::geteuid() ? Readers::this_user : Readers::everybody;
}

void fail(const Target& target, const Error& error) {
  throw CommandFailure(exit_of(error.code()), error.code(), target.describe() + ": " + error.what());
}

}  // namespace moult::internal::cli
