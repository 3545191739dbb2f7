// A program with a function and objects, which its main thread uses all the time. Says "ready". It takes updates from a
// socket, from TCP and from a pipe.
#include "target.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "allocation_plan.hpp"

namespace app {

MOULT_UPDATABLE int answer() { return 1; }

}  // namespace app

namespace {

using Objects = std::vector<std::unique_ptr<app::Data>>;

/// A converted object has twice its number and one as its mark.
void look_at(const Objects& objects, memory::AllocationPlan& seen) {
  std::int64_t old_objects = 0;
  std::int64_t new_objects = 0;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const volatile app::Data& object = *objects[i];
    const int number = object.number;
    const int mark = object.mark;
    const bool is_right = number == static_cast<int>(i);
    if (is_right && mark == -1) ++old_objects;
    if (is_right && mark == 2 * number + 1) ++new_objects;
  }
  seen.old_objects = old_objects;
  seen.new_objects = new_objects;
  seen.wrong_objects = static_cast<std::int64_t>(objects.size()) - old_objects - new_objects;
  seen.answer = app::answer();
  ++seen.rounds;
}

/// Makes this process short of something, and ends that.
class Shortages final {
 public:
  explicit Shortages(memory::AllocationPlan& plan) : plan_(plan) {}

  void follow_plan() {
    if (plan_.shortages_begun == plan_.shortages) return;
    end();
    if (plan_.shortage == memory::Shortage::mappings) take_mappings(static_cast<std::size_t>(plan_.left.load()));
    if (plan_.shortage == memory::Shortage::address_space) take_address_space(plan_.left);
    plan_.shortages_begun = plan_.shortages.load();
  }

 private:
  void end() {
    const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &all);
    while (!taken_.empty()) give_one_back();
  }

  void give_one_back() {
    ::munmap(taken_.back(), page);
    taken_.pop_back();
  }

  /// Neighbours differ, so that the kernel does not join them.
  void take_mappings(std::size_t left) {
    taken_.reserve(100'000);
    for (;;) {
      const int protection = taken_.size() % 2 == 0 ? PROT_READ : PROT_NONE;
      void* const taken = ::mmap(nullptr, page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (taken == MAP_FAILED) break;
      taken_.push_back(taken);
    }
    for (std::size_t i = 0; i < left && !taken_.empty(); ++i) give_one_back();
  }

  void take_address_space(std::int64_t left) {
    std::ifstream sizes("/proc/self/statm");
    std::uint64_t pages = 0;
    sizes >> pages;
    const rlimit limit{pages * page + static_cast<std::uint64_t>(left), RLIM_INFINITY};
    ::setrlimit(RLIMIT_AS, &limit);
  }

  static constexpr std::size_t page = 4096;
  memory::AllocationPlan& plan_;
  std::vector<void*> taken_;
};

/// While it exists, allocations of this thread fail as those of moult's threads do.
class AsMoult final {
 public:
  AsMoult() { ::prctl(PR_SET_NAME, "moult main"); }
  AsMoult(const AsMoult&) = delete;
  AsMoult& operator=(const AsMoult&) = delete;
  ~AsMoult() { ::prctl(PR_SET_NAME, "program"); }
};

/// Null without memory for it.
std::unique_ptr<moult::Listener> try_to_listen(memory::AllocationPlan& plan) {
  constexpr std::uint16_t first_port = 20'000;
  constexpr std::uint16_t ports = 10'000;
  for (std::uint16_t i = 0; i < ports; ++i) {
    const auto port = static_cast<std::uint16_t>(first_port + (::getpid() * 7 + i) % ports);
    moult::ListenerOptions options;
    if (plan.has_every_way) options = {.tcp_port = port, .token = memory::token};
    moult::ListenerOrError made = [&] {
      const AsMoult as_moult;
      return moult::Listener::try_make(std::move(options));
    }();
    plan.port = port;
    if (made.listener) return std::move(made.listener);
    if (plan.failed > 0) return nullptr;
  }
  std::abort();
}

std::unique_ptr<moult::PipeListener> try_to_read_pipe() try {
  const std::string path = std::string(std::getenv("XDG_RUNTIME_DIR")) + "/pipe";
  const AsMoult as_moult;
  return std::make_unique<moult::PipeListener>(path);
} catch (const moult::Error&) {
  return nullptr;
} catch (const std::bad_alloc&) {
  return nullptr;
}

}  // namespace

int main() {
  memory::AllocationPlan* const plan = memory::map_plan(std::getenv(memory::plan_variable));
  if (plan == nullptr) return 2;
  ::prctl(PR_SET_NAME, "program");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::unique_ptr<moult::Listener> listener = try_to_listen(*plan);
  std::unique_ptr<moult::PipeListener> pipe = plan->has_every_way ? try_to_read_pipe() : nullptr;
  Objects objects;
  const int count = std::atoi(std::getenv(memory::objects_variable));
  for (int i = 0; i < count; ++i) objects.push_back(std::make_unique<app::Data>(i));
  std::cout << "ready" << std::endl;
  Shortages shortages(*plan);
  for (;;) {
    shortages.follow_plan();
    plan->is_without_listener = !listener || (plan->has_every_way && !pipe);
    if (plan->is_without_listener && plan->first == 0) {
      if (!listener) listener = try_to_listen(*plan);
      if (!pipe && plan->has_every_way) pipe = try_to_read_pipe();
    }
    plan->is_resting = plan->is_still.load();
    if (!plan->is_resting) look_at(objects, *plan);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}
