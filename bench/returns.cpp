// How soon an update is in force when the last call has returned, and what a call costs when a gate was taken away.
#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench.hpp"
#include "moult/alterability.hpp"
#include "moult/manager.hpp"
#include "moult/return_barrier.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using Clock = std::chrono::steady_clock;

/// A call that stays until it is let go, and says when it is about to return.
struct Stay {
  std::binary_semaphore entered{0};
  std::binary_semaphore leave{0};
  Clock::time_point returned;
};

MOULT_UPDATABLE void stays(Stay& stay) {
  stay.entered.release();
  stay.leave.acquire();
  stay.returned = Clock::now();
}
MOULT_UPDATABLE void stays_v2(Stay&) {}
MOULT_UPDATABLE void stays_v3(Stay&) {}

class WaitsForReturn final : public moult::Update {
 public:
  WaitsForReturn(Clock::time_point& in_force, bool is_even)
      : Update("return"), in_force_(in_force), is_even_(is_even) {}
  bool wait_alterability() override { return moult::wait_return_of_function(stays, patience()); }
  void apply() override {
    is_even_ ? moult::redefine_function(stays, stays_v2) : moult::redefine_function(stays, stays_v3);
  }
  bool wait_over() override {
    in_force_ = Clock::now();
    return true;
  }

 private:
  Clock::time_point& in_force_;
  bool is_even_;
};

/// From the return of the call to the end of the update's pause, without the pause.
double seconds_beside_the_stop(moult::ThreadedManager& manager, bool is_even) {
  Stay stay;
  std::thread inside([&stay] { stays(stay); });
  stay.entered.acquire();
  Clock::time_point in_force;
  moult::UpdateHandle handle = manager.add_update(std::make_unique<WaitsForReturn>(in_force, is_even));
  // The manager sleeps on the barrier by then; were it not so, the figure would be the larger for it.
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  stay.leave.release();
  inside.join();
  const moult::UpdateReport report = handle.wait(std::chrono::seconds(60));
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
  moult::roll_back(report.id);
  return std::chrono::duration<double>(in_force - stay.returned - report.pause).count();
}

[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t plain(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t redefined(std::uint64_t x) { return x * 5 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t gated(std::uint64_t x) { return x * 5 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t only_gated(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t redefined_fresh(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t gated_fresh(std::uint64_t x) { return x * 3 + 1; }

using Function = std::uint64_t (*)(std::uint64_t);

class Forces final : public moult::Update {
 public:
  Forces() : Update("gate") {}
  void preupdate_setup() override { moult::setup_force_quiescence({gated, only_gated}, patience()); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  bool check_alterability() override { return moult::check_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override { moult::redefine_function(gated, gated_fresh); }
};

/// Four threads call the functions while the update comes.
void put_gate_and_take_it_away() {
  std::vector<std::jthread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([](std::stop_token token) {
      for (std::uint64_t x = 1; !token.stop_requested();) x = gated(x) + only_gated(x);
    });
  moult::ThreadedManager manager("gate");
  const moult::UpdateReport report = manager.add_update(std::make_unique<Forces>()).wait(std::chrono::seconds(60));
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
}

double nanoseconds_a_call(Function function) {
  constexpr int calls = 2'000'000;
  std::uint64_t x = 1;
  const double seconds = bench::seconds_of([&] {
    for (int i = 0; i < calls; ++i) x = function(x);
  });
  asm volatile("" ::"r"(x));
  return seconds / calls * 1e9;
}

bench::Row row_of(const std::string& name, Function measured, const std::string& reference_name, Function reference) {
  const bench::Pair pair = bench::interleave(
      41, [measured] { return nanoseconds_a_call(measured); }, [reference] { return nanoseconds_a_call(reference); });
  return {name,
          pair.measured,
          "ns",
          reference_name + ", " + std::to_string(pair.reference) + " ns",
          pair.measured / pair.reference,
          1.05};
}

}  // namespace subject

namespace bench {

Rows measure_return_barrier() {
  moult::ThreadedManager manager("return");
  std::vector<double> seconds;
  for (int round = 0; round < 41; ++round) seconds.push_back(subject::seconds_beside_the_stop(manager, round % 2 == 0));
  const double microseconds = median(seconds) * 1e6;
  return {{"from a return to the update in force, without its stop", microseconds, "us", "100 us", microseconds / 100,
           1.0}};
}

Rows measure_gate() {
  moult::redefine_function(subject::redefined, subject::redefined_fresh);
  subject::put_gate_and_take_it_away();
  return {subject::row_of("call of a redefined function that had a gate", subject::gated, "of one that never had",
                          subject::redefined),
          subject::row_of("call of a function that had a gate", subject::only_gated, "a plain call", subject::plain)};
}

}  // namespace bench
