// A program with a function and a thousand objects, which its main thread uses all the time. Says "ready".
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

}  // namespace

int main() {
  memory::AllocationPlan* const plan = memory::map_plan(std::getenv(memory::plan_variable));
  if (plan == nullptr) return 2;
  ::prctl(PR_SET_NAME, "program");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const moult::Listener listener;
  Objects objects;
  for (int i = 0; i < 1000; ++i) objects.push_back(std::make_unique<app::Data>(i));
  std::cout << "ready" << std::endl;
  Shortages shortages(*plan);
  for (;;) {
    shortages.follow_plan();
    plan->is_resting = plan->is_still.load();
    if (!plan->is_resting) look_at(objects, *plan);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}
