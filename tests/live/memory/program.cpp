#include "program.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
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
[[noreturn]] void become_program(const std::filesystem::path& folder, int output) {
  ::dup2(output, STDOUT_FILENO);
  ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1);
  ::setenv(plan_variable, (folder / "plan").c_str(), 1);
  ::setenv("LD_PRELOAD", FAILING_ALLOCATOR, 1);
  ::execl(TARGET, TARGET, nullptr);
  ::_exit(127);
}

}  // namespace

Program::Program() : folder_(make_folder()), plan_(make_plan(folder_ / "plan")) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = ::fork();
  if (pid_ == 0) become_program(folder_, ends[1]);
  ::close(ends[1]);
  char word[6] = "";
  const ssize_t size = ::read(ends[0], word, sizeof word);
  ::close(ends[0]);
  if (size <= 0) throw std::runtime_error("the program does not start: " + end());
  connect();
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

std::optional<std::string> Program::call(const Command& command) {
  try {
    if (!client_) connect();
    return client_->call(command, soon());
  } catch (const moult::Error& error) {
    client_.reset();
    if (error.code() == moult::ErrorCode::timed_out) throw;
    return std::nullopt;
  }
}

std::optional<std::string> Program::call_failing(const Command& command, std::int64_t position, Failing failing) {
  if (!client_) connect();
  fail_from(position, failing);
  const std::optional<std::string> reply = call(command);
  plan_->first = 0;
  client_.reset();  // the listener may have closed the connection after its answer
  return reply;
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

std::int64_t Program::allocations_of(const Command& command) {
  plan_->seen = 0;
  call(command);
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
