// Two functions and the format that they agree about, changed in phases: never do both have to be left at one time.
#include <atomic>
#include <ctime>
#include <iostream>

#include "shared.hpp"

// The flag, and what has come of it.
static std::atomic<bool> is_time_written{false};
static std::atomic<bool> is_time_read{false};

static std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  return text;
}

static void write_text(const std::string& text) {
  shared.text = text;
  shared.is_fresh = true;
  shared.changed.notify_all();
}

static void read_text() {
  shared.is_fresh = false;
  shared.changed.notify_all();
  std::cout << "read " << shared.text << std::endl;
}

static bool has_time(const std::string& text) { return text.find(" at ") != std::string::npos; }

// The intermediate versions: the reader understands both formats, the writer keeps to the old one until the flag is
// set.
static void read_both() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_fresh; });
  if (has_time(shared.text)) is_time_read = true;
  read_text();
}

static void write_either(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_fresh; });
  write_text(is_time_written ? std::to_string(number) + " at " + time_of_day() : std::to_string(number));
}

// The final ones know the new format only.
static void read_timed() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_fresh; });
  if (!has_time(shared.text)) {
    std::cout << "cannot read \"" << shared.text << '"' << std::endl;
    std::abort();
  }
  read_text();
}

static void write_timed(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_fresh; });
  write_text(std::to_string(number) + " at " + time_of_day());
}

class Intermediate final : public moult::Update {
 public:
  Intermediate(std::string name, moult::AnyFunction old_function, moult::AnyFunction fresh)
      : Update(std::move(name)), old_(std::move(old_function)), fresh_(std::move(fresh)) {}

  void preupdate_setup() override { moult::setup_force_quiescence({old_}, patience()); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override { moult::redefine_any_function(old_, fresh_); }
  void cleanup() override { moult::clean_force_quiescence(); }

 private:
  moult::AnyFunction old_;
  moult::AnyFunction fresh_;
};

class Flag final : public moult::Update {
 public:
  Flag() : Update("flag") {}
  moult::Requirements check_requirements() override {
    const bool is_ready = moult::is_applied("reads both") && moult::is_applied("writes either");
    return is_ready ? moult::Requirements::met : moult::Requirements::not_yet;
  }
  bool wait_alterability() override { return true; }
  void apply() override { is_time_written = true; }
};

class Finals final : public moult::Update {
 public:
  Finals() : Update("finals") { set_patience({.sleep_time = std::chrono::milliseconds(50), .max_postponements = {}}); }
  moult::Requirements check_requirements() override {
    return is_time_read ? moult::Requirements::met : moult::Requirements::not_yet;
  }
  // A call in progress of an intermediate version does what the final one would do.
  bool wait_alterability() override { return true; }
  void apply() override {
    moult::redefine_function(write_number, write_timed);
    moult::redefine_function(read_number, read_timed);
  }
};

MOULT_UPDATE {
  moult::ThreadedManager& phases = moult::threaded_manager("phases");
  phases.add_update(std::make_unique<Intermediate>("reads both", read_number, read_both));
  phases.add_update(std::make_unique<Intermediate>("writes either", write_number, write_either));
  phases.add_update(std::make_unique<Flag>());
  phases.add_update(std::make_unique<Finals>());
}
