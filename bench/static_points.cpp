// The cost of a static update point without a waiting update; and the time from the arrival of the last awaited thread
// to the applied update, against a bare hand-over by futex and the same change in the same kind of stop.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench.hpp"
#include "code/patch.hpp"
#include "moult/manager.hpp"
#include "moult/relinking.hpp"
#include "moult/static_point_update.hpp"
#include "moult/thread.hpp"
#include "platform/futex.hpp"
#include "threads/current_stop.hpp"
#include "threads/stopped_world.hpp"
#include "unwind/unwind_table.hpp"

namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using Clock = std::chrono::steady_clock;

MOULT_UPDATABLE int changed(int x) { return x + 1; }
MOULT_UPDATABLE int change(int x) { return x + 2; }

constexpr int turns = 2'000'000;

/// About 10 ns: each step needs the result of the one before.
inline std::uint64_t work(std::uint64_t x) {
  for (int step = 0; step < 8; ++step) x = x * 6'364'136'223'846'793'005u + 1;
  return x;
}

[[gnu::noinline]] std::uint64_t go_round_with_a_point(std::uint64_t x) {
  for (int turn = 0; turn < turns; ++turn) {
    moult::static_update_point("turn");
    x = work(x);
  }
  return x;
}

[[gnu::noinline]] std::uint64_t go_round(std::uint64_t x) {
  for (int turn = 0; turn < turns; ++turn) {
    asm volatile("");
    x = work(x);
  }
  return x;
}

double nanoseconds_a_turn(std::uint64_t (*round)(std::uint64_t)) {
  std::uint64_t x = 1;
  const double seconds = bench::seconds_of([&] { x = round(x); });
  asm volatile("" ::"r"(x));
  return seconds / turns * 1e9;
}

constexpr std::size_t walkers = 8;

/// A meeting point without moult: the last thread to arrive wakes the waiting one.
struct BarePoint {
  std::atomic<bool> is_awaited{false};
  std::atomic<std::uint32_t> arrived{0};
  std::atomic<std::uint32_t> releases{0};

  void pass() {
    if (!is_awaited.load(std::memory_order_relaxed)) return;
    const std::uint32_t before = releases;
    if (arrived.fetch_add(1) + 1 == walkers) moult::internal::futex_wake_all(arrived);
    while (releases == before) moult::internal::futex_wait(releases, before);
  }
  void await_all() {
    arrived = 0;
    is_awaited = true;
    for (std::uint32_t so_far; (so_far = arrived) < walkers;) moult::internal::futex_wait(arrived, so_far);
  }
  void release() {
    is_awaited = false;
    ++releases;
    moult::internal::futex_wake_all(releases);
  }
};

/// Threads that pass both points now and then, and record the time.
class Walkers final {
 public:
  Walkers() {
    for (std::size_t i = 0; i < walkers; ++i) threads_.emplace_back("walker", [this, i] { walk(i); });
  }
  ~Walkers() { is_over_ = true; }

  /// While all of them are at a point.
  double seconds_since_the_last_came() const {
    std::int64_t last = 0;
    for (const std::atomic<std::int64_t>& time : came_) last = std::max<std::int64_t>(last, time);
    return static_cast<double>(Clock::now().time_since_epoch().count() - last) / 1e9;
  }
  BarePoint bare;

 private:
  void walk(std::size_t number) {
    while (!is_over_) {
      std::this_thread::sleep_for(std::chrono::microseconds(100 * (number + 1)));
      came_.at(number) = Clock::now().time_since_epoch().count();
      moult::static_update_point("turn");
      bare.pass();
    }
  }

  std::atomic<bool> is_over_{false};
  std::array<std::atomic<std::int64_t>, walkers> came_{};
  std::vector<moult::Thread> threads_;  // the last: their destructors join
};

/// The prepared change, and its undo.
class Change final {
 public:
  moult::internal::Patch& patch() { return patch_; }
  void take_back() {
    patch_.finish();
    patch_.prepare_revert();
    in_a_stop([this](const moult::internal::StoppedWorld& stopped) { patch_.revert(stopped); });
    patch_.finish();
  }
  template <class Act>
  void in_a_stop(Act&& act) {
    moult::internal::in_stopped_world({.timeout = std::chrono::seconds(10), .keep_out = patch_.keep_out()}, act);
  }

 private:
  static moult::internal::CodeAddress address_of(int (*function)(int)) {
    return moult::internal::CodeAddress{reinterpret_cast<std::uintptr_t>(function)};
  }
  moult::internal::PatchTarget target_{
      "changed", *moult::internal::unwind_entry_at(address_of(changed)), address_of(change), {}};
  moult::internal::Patch patch_ = moult::internal::Patch::prepare({&target_, 1});
};

class PointUpdate final : public moult::StaticPointUpdate {
 public:
  PointUpdate(Walkers& all, Change& made, double& seconds)
      : StaticPointUpdate("point", {"turn"}), walkers_(all), change_(made), seconds_(seconds) {}
  void apply() override {
    change_.patch().commit(*moult::internal::current_stop());
    seconds_ = walkers_.seconds_since_the_last_came();
  }

 private:
  Walkers& walkers_;
  Change& change_;
  double& seconds_;
};

double seconds_to_force(moult::ThreadedManager& manager, Walkers& all) {
  Change made;
  double seconds = 0;
  const moult::UpdateReport report =
      manager.add_update(std::make_unique<PointUpdate>(all, made, seconds)).wait(std::chrono::seconds(60));
  if (report.state != moult::UpdateState::applied) throw std::runtime_error("update not applied: " + report.reason);
  made.take_back();
  return seconds;
}

double bare_seconds_to_force(Walkers& all) {
  Change made;
  double seconds = 0;
  std::jthread([&] {  // the waiting thread has not just been busy, like a manager's
    all.bare.await_all();
    made.in_a_stop([&](const moult::internal::StoppedWorld& stopped) {
      made.patch().commit(stopped);
      seconds = all.seconds_since_the_last_came();
    });
    all.bare.release();
  })
      .join();
  made.take_back();
  return seconds;
}

}  // namespace subject

namespace bench {

Rows measure_static_points() {
  Rows rows;
  const Pair turn = interleave(
      41, [] { return subject::nanoseconds_a_turn(subject::go_round_with_a_point); },
      [] { return subject::nanoseconds_a_turn(subject::go_round); });
  rows.push_back({"a turn with a static update point that nobody waits at", turn.measured, "ns",
                  "a turn without it, " + std::to_string(turn.reference) + " ns", turn.measured / turn.reference,
                  1.05});

  moult::ThreadedManager manager("static points");
  subject::Walkers all;
  const Pair force = interleave(
      101, [&] { return subject::seconds_to_force(manager, all); },
      [&] { return subject::bare_seconds_to_force(all); });
  rows.push_back({"from the last of 8 threads at its point to the applied update", force.measured * 1e6, "us",
                  "a bare hand-over and the same change, " + std::to_string(force.reference * 1e6) + " us",
                  force.measured / force.reference, 2.0});
  return rows;
}

}  // namespace bench
