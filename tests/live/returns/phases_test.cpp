// Two functions that agree about the format of a shared variable, changed in phases there and back, over and over: no
// reader ever meets a format that it does not know. With MOULT_SOAK set it goes on for long.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "moult/alterability.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"

namespace moult {
namespace subject {

using namespace std::chrono_literals;

/// Old: the number. New: the number, negative.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  long text = 0;
  bool is_fresh = false;
  std::atomic<long> old_read{0};
  std::atomic<long> fresh_read{0};
  std::atomic<long> unreadable{0};
};
Shared shared;
std::atomic<bool> is_new_written{false};

void put(std::unique_lock<std::mutex>& lock, long text) {
  shared.changed.wait(lock, [] { return !shared.is_fresh; });
  shared.text = text;
  shared.is_fresh = true;
  shared.changed.notify_all();
}
long take(std::unique_lock<std::mutex>& lock) {
  shared.changed.wait(lock, [] { return shared.is_fresh; });
  shared.is_fresh = false;
  shared.changed.notify_all();
  return shared.text;
}
void count(long text, bool knows_old, bool knows_new) {
  if (text > 0)
    ++(knows_old ? shared.old_read : shared.unreadable);
  else
    ++(knows_new ? shared.fresh_read : shared.unreadable);
}

MOULT_UPDATABLE void write_old(long number) {
  std::unique_lock lock(shared.mutex);
  put(lock, number);
}
MOULT_UPDATABLE void write_either(long number) {
  std::unique_lock lock(shared.mutex);
  put(lock, is_new_written ? -number : number);
}
MOULT_UPDATABLE void write_new(long number) {
  std::unique_lock lock(shared.mutex);
  put(lock, -number);
}
MOULT_UPDATABLE void read_old() {
  std::unique_lock lock(shared.mutex);
  count(take(lock), true, false);
}
MOULT_UPDATABLE void read_both() {
  std::unique_lock lock(shared.mutex);
  count(take(lock), true, true);
}
/// The old ones once more, to go back to.
MOULT_UPDATABLE void write_again(long number) {
  std::unique_lock lock(shared.mutex);
  put(lock, number);
}
MOULT_UPDATABLE void read_again() {
  std::unique_lock lock(shared.mutex);
  count(take(lock), true, false);
}
MOULT_UPDATABLE void read_new() {
  std::unique_lock lock(shared.mutex);
  count(take(lock), false, true);
}

class Intermediate final : public Update {
 public:
  Intermediate(AnyFunction old_function, AnyFunction fresh)
      : Update("intermediate"), old_(std::move(old_function)), fresh_(std::move(fresh)) {
    set_patience({.max_tries = 60, .sleep_time = 1000ms, .stop_timeout = 20s, .max_postponements = 0});
  }
  void preupdate_setup() override { setup_force_quiescence({old_}, patience()); }
  bool wait_alterability() override { return wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { clean_failed_force_quiescence(); }
  void apply() override { redefine_any_function(old_, fresh_); }

 private:
  AnyFunction old_;
  AnyFunction fresh_;
};

/// Both at once, without quiescence: what is in progress does what the new ones would do.
class Both final : public Update {
 public:
  Both(void (*writes)(long), void (*reads)()) : Update("both"), writes_(writes), reads_(reads) {
    set_patience({.max_tries = 60, .sleep_time = 1000ms, .stop_timeout = 20s, .max_postponements = 0});
  }
  bool wait_alterability() override { return true; }
  void apply() override {
    redefine_function(write_old, writes_);
    redefine_function(read_old, reads_);
  }

 private:
  void (*writes_)(long);
  void (*reads_)();
};

class Phases : public testing::Test {
 protected:
  void apply(std::unique_ptr<Update> update) {
    const UpdateReport report = manager_.add_update(std::move(update)).wait(120s);
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  }
  /// Waits until a text was read that was written after now.
  static void await_read(const std::atomic<long>& count) {
    for (const long before = count; count < before + 3;) std::this_thread::yield();
  }

  ThreadedManager manager_{"phases"};
};

TEST_F(Phases, NoFormatIsEverMetThatIsNotKnown) {
  set_log_level(LogLevel::none);
  const int rounds = std::getenv("MOULT_SOAK") != nullptr ? 500 : 5;
  std::jthread reader([](std::stop_token token) {
    while (!token.stop_requested()) read_old();
  });
  std::jthread writer([&reader](std::stop_token token) {
    for (long number = 1; !token.stop_requested(); ++number) write_old(number);
    reader.request_stop();
    for (int last = 0; last < 2; ++last) {
      std::scoped_lock lock(shared.mutex);  // the reader may wait for one more
      shared.is_fresh = true;
      shared.changed.notify_all();
    }
  });
  for (int round = 0; round < rounds; ++round) {
    await_read(shared.old_read);
    apply(std::make_unique<Intermediate>(read_old, read_both));
    apply(std::make_unique<Intermediate>(write_old, write_either));
    is_new_written = true;
    await_read(shared.fresh_read);
    apply(std::make_unique<Both>(write_new, read_new));
    await_read(shared.fresh_read);
    ASSERT_EQ(shared.unreadable, 0);

    apply(std::make_unique<Intermediate>(read_old, read_both));
    apply(std::make_unique<Intermediate>(write_old, write_either));
    is_new_written = false;
    await_read(shared.old_read);
    apply(std::make_unique<Both>(write_again, read_again));
    ASSERT_EQ(shared.unreadable, 0);
  }
  writer.request_stop();
  writer.join();
}

}  // namespace subject
}  // namespace moult
