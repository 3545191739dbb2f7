// The time from the last return of a call to the applied update, and the cost of a call after a gate was removed.
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
#include "moult/updates.hpp"
#include "threads/stopped_world.hpp"

namespace returns_subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using Clock = std::chrono::steady_clock;

/// A call that stays until it is released, and signals that it is about to return.
struct Stay {
  std::binary_semaphore entered{0};
  std::binary_semaphore leave{0};
  std::binary_semaphore over{0};
  Clock::time_point returned;
};

MOULT_UPDATABLE void stays(Stay& stay) {
  stay.entered.release();
  stay.leave.acquire();
  stay.returned = Clock::now();
}
MOULT_UPDATABLE void stays_v2(Stay&) {}
MOULT_UPDATABLE void stays_elsewhere(Stay& stay) {
  stay.entered.release();
  stay.leave.acquire();
}

/// Redefines `stays`, and records the time.
class Redefines : public moult::SafeRedefineUpdate {
 public:
  Redefines() : SafeRedefineUpdate("return", stays, stays_v2) {}
  bool wait_over() override {
    in_force = Clock::now();
    return true;
  }
  static inline Clock::time_point in_force;
};

class WaitsForReturn final : public Redefines {
 public:
  bool wait_alterability() override { return moult::wait_return_of_function(stays, patience()); }
};

/// The same from the moment the manager wakes. It sleeps as long, and a thread that was just woken wakes it, so
/// processors and caches are as idle and as cold.
class OnlyStops final : public Redefines {
 public:
  bool wait_alterability() override {
    returned.acquire();
    began = Clock::now();
    moult::internal::Transaction::current()->hold(
        moult::internal::StoppedWorld::stop({.timeout = std::chrono::seconds(10), .keep_out = {}}));
    return true;
  }
  static inline std::binary_semaphore returned{0};
  static inline Clock::time_point began;
};

/// Other blocked threads run beside the one inside, the same in both measurements.
double seconds_until_in_force(moult::ThreadedManager& manager, bool waits) {
  Stay stay;
  Stay unconcerned;
  std::thread inside([&] {
    waits ? stays(stay) : stays_elsewhere(stay);
    if (!waits) OnlyStops::returned.release();
    stay.over.acquire();  // the end of a thread is not what is measured
  });
  std::thread other([&] { stays_elsewhere(unconcerned); });
  stay.entered.acquire();
  unconcerned.entered.acquire();
  std::unique_ptr<moult::Update> update;
  waits ? update = std::make_unique<WaitsForReturn>() : update = std::make_unique<OnlyStops>();
  const moult::UpdateHandle handle = manager.add_update(std::move(update));
  // The manager reads symbols, then sleeps. If it were not asleep yet, the figure would only be larger.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stay.leave.release();
  const moult::UpdateReport report = handle.wait(std::chrono::seconds(60));
  stay.over.release();
  unconcerned.leave.release();
  inside.join();
  other.join();
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
  moult::roll_back(report.id);
  return std::chrono::duration<double>(Redefines::in_force - (waits ? stay.returned : OnlyStops::began)).count();
}

[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t plain(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t redefined(std::uint64_t x) { return x * 5 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t gated(std::uint64_t x) { return x * 5 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t only_gated(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t redefined_replacement(std::uint64_t x) { return x * 3 + 1; }
[[gnu::aligned(64)]] MOULT_UPDATABLE std::uint64_t gated_replacement(std::uint64_t x) { return x * 3 + 1; }

using Function = std::uint64_t (*)(std::uint64_t);

class Forces final : public moult::Update {
 public:
  Forces() : Update("gate") {}
  void preupdate_setup() override { moult::setup_force_quiescence({gated, only_gated}, patience()); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  bool check_alterability() override { return moult::check_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override { moult::redefine_function(gated, gated_replacement); }
};

/// Four threads call the functions during the update.
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

}  // namespace returns_subject

namespace bench {

Rows measure_return_barrier() {
  moult::ThreadedManager manager("return");
  const Pair pair = interleave(
      41, [&] { return returns_subject::seconds_until_in_force(manager, true); },
      [&] { return returns_subject::seconds_until_in_force(manager, false); });
  const double more = (pair.measured - pair.reference) * 1e6;
  return {{"from a return to the applied update, more than the stop", more, "us",
           "100 us; the stop and the change, " + std::to_string(pair.reference * 1e6) + " us", more / 100, 1.0}};
}

Rows measure_gate() {
  moult::redefine_function(returns_subject::redefined, returns_subject::redefined_replacement);
  returns_subject::put_gate_and_take_it_away();
  return {returns_subject::row_of("call of a redefined function that had a gate", returns_subject::gated,
                                  "of one that never had", returns_subject::redefined),
          returns_subject::row_of("call of a function that had a gate", returns_subject::only_gated, "a plain call",
                                  returns_subject::plain)};
}

}  // namespace bench
