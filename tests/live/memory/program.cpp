#include "program.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <thread>

namespace memory {
namespace {

using moult::internal::Client;
using moult::internal::Command;

constexpr std::chrono::seconds longest_wait{30};

std::chrono::steady_clock::time_point soon() { return std::chrono::steady_clock::now() + longest_wait; }

std::filesystem::path make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "moult-memory-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

AllocationPlan* make_plan(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, sizeof(AllocationPlan)) != 0) throw std::runtime_error("no plan");
  ::close(file);
  return map_plan(path.c_str());
}

/// In the child: becomes the program, which says "ready" to `output`.
[[noreturn]] void become_program(const std::filesystem::path& folder, int output, std::size_t objects) {
  ::dup2(output, STDOUT_FILENO);
  ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  ::setenv(plan_variable, (folder / "plan").c_str(), 1);
  ::setenv(objects_variable, std::to_string(objects).c_str(), 1);
  ::setenv("LD_PRELOAD", FAILING_ALLOCATOR, 1);
  ::execl(TARGET, TARGET, nullptr);
  ::_exit(127);
}

}  // namespace

Program::Program(const Beginning& beginning) : folder_(make_folder()), plan_(make_plan(folder_ / "plan")) {
  plan_->has_every_way = beginning.has_every_way;
  if (beginning.position > 0) fail_from(beginning.position, beginning.failing);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = ::fork();
  if (pid_ == 0) become_program(folder_, ends[1], beginning.objects);
  ::close(ends[1]);
  char word[6] = "";
  const ssize_t size = ::read(ends[0], word, sizeof word);
  ::close(ends[0]);
  if (size <= 0) throw std::runtime_error("the program does not start: " + end());
}

Program::~Program() {
  ::kill(pid_, SIGKILL);
  if (!end_) ::waitpid(pid_, nullptr, 0);
  ::munmap(plan_, sizeof(AllocationPlan));
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Program::connect() {
  const std::filesystem::path path = folder_ / "moult" / (std::to_string(pid_) + ".sock");
  client_.emplace(Client::connect(path.string(), soon()));
}

std::optional<std::string> Program::call(const Command& command, Way way) {
  if (way == Way::tcp) return call_over_tcp(command);
  try {
    if (!client_) connect();
    const std::string reply = client_->call(command, soon());
    const auto* const log = std::get_if<moult::internal::LogRequest>(&command);
    if (log != nullptr && log->follow) client_.reset();  // further events would be taken for replies
    return reply;
  } catch (const moult::Error& error) {
    client_.reset();
    if (error.code() == moult::ErrorCode::timed_out) throw;
    return std::nullopt;
  }
}

std::optional<std::string> Program::call_failing(const Command& command, std::int64_t position, Failing failing,
                                                 Way way) {
  if (!client_ && way == Way::socket) connect();
  fail_from(position, failing);
  const std::optional<std::string> reply = call(command, way);
  plan_->first = 0;
  client_.reset();  // the listener may have closed the connection after its answer
  return reply;
}

std::optional<std::string> Program::call_over_tcp(const Command& command) const {
  const moult::internal::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{longest_wait.count(), 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(plan_->port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return std::nullopt;
  using moult::internal::format_request;
  const std::string lines =
      format_request({{}, moult::internal::AuthenticateRequest{token}}) + '\n' + format_request({{}, command}) + '\n';
  if (::send(socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  std::string replies;
  char part[4096];
  while (std::count(replies.begin(), replies.end(), '\n') < 2) {
    const ssize_t size = ::recv(socket.get(), part, sizeof part, 0);
    if (size <= 0) return std::nullopt;
    replies.append(part, static_cast<std::size_t>(size));
  }
  const std::size_t first_end = replies.find('\n') + 1;
  return replies.substr(first_end, replies.find('\n', first_end) - first_end);
}

std::int64_t Program::write_to_pipe(const std::string& line, std::int64_t position, Failing failing) {
  constexpr std::chrono::milliseconds rest{50};
  plan_->seen = 0;
  if (position > 0) fail_from(position, failing);
  std::ofstream(folder_ / "pipe") << line << std::endl;
  wait_until([this] { return plan_->seen > 0; });
  for (std::int64_t before = 0; before != plan_->seen; std::this_thread::sleep_for(rest)) before = plan_->seen;
  plan_->first = 0;
  return plan_->seen;
}

void Program::wait_for_updates() {
  wait_until([this] {
    const std::string status = call(moult::internal::StatusRequest{}).value_or("");
    const auto has = [&status](const char* state) { return status.find(state) != std::string::npos; };
    return has("\"ok\":true") && !has("\"state\":\"queued\"") && !has("\"state\":\"active\"");
  });
}

void Program::wait_for_listeners() {
  plan_->first = 0;
  plan_->failed = 0;
  const std::int64_t before = plan_->rounds;
  wait_until([&] { return plan_->rounds > before && !plan_->is_without_listener; });
}

void Program::fail_from(std::int64_t position, Failing failing) {
  plan_->last = failing == Failing::one ? position : INT64_MAX;
  plan_->first = position;
  plan_->failed = 0;
  plan_->seen = 0;
}

void Program::wait_until(const std::function<bool()>& is_so) const {
  const auto deadline = soon();
  while (!is_so() && is_alive() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::microseconds(200));
}

void Program::leave_objects() {
  plan_->is_still = true;
  wait_until([this] { return plan_->is_resting.load(); });
}

void Program::use_objects(std::int64_t position, Failing failing) {
  const std::int64_t before = plan_->rounds;
  fail_from(position, failing);
  plan_->is_still = false;
  wait_until([&] { return plan_->failed > 0 || plan_->rounds > before; });
  plan_->first = 0;
}

std::int64_t Program::allocations_of(const Command& command, Way way) {
  plan_->seen = 0;
  call(command, way);
  return plan_->seen;
}

void Program::make_short_of(Shortage shortage, std::int64_t left) {
  plan_->shortage = shortage;
  plan_->left = left;
  ++plan_->shortages;
  wait_until([this] { return plan_->shortages_begun == plan_->shortages; });
}

bool Program::is_alive() const {
  int status = 0;
  if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_) end_ = status;
  return !end_;
}

std::string Program::end() const {
  if (!end_) {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    end_ = status;
  }
  if (WIFSIGNALED(*end_)) return "signal " + std::to_string(WTERMSIG(*end_));
  return "exit code " + std::to_string(WEXITSTATUS(*end_));
}

Program::State Program::state() const {
  const std::int64_t before = plan_->rounds;
  wait_until([&] { return plan_->rounds >= before + 2; });
  return {plan_->answer, plan_->old_objects, plan_->new_objects, plan_->wrong_objects};
}

std::ostream& operator<<(std::ostream& stream, const Program::State& state) {
  return stream << "answer " << state.answer << ", " << state.old_objects << " old objects, " << state.new_objects
                << " new, " << state.wrong_objects << " wrong";
}

}  // namespace memory
