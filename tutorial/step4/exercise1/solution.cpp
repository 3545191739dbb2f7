// Changes two functions and the format that both know, in phases. No phase waits for more than one function.
#include <atomic>
#include <ctime>
#include <iostream>

#include "shared.hpp"

// Selects the format of the intermediate versions.
static std::atomic<bool> update{false};
// A text with the time was read.
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
  shared.is_unread = true;
  shared.changed.notify_all();
}

static void read_text() {
  shared.is_unread = false;
  shared.changed.notify_all();
  std::cout << "read " << shared.text << std::endl;
}

static bool has_time(const std::string& text) { return text.find(" at ") != std::string::npos; }

// The intermediate versions. The reader knows both formats; the writer uses the old one until the flag is set.
static void interm_read() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_unread; });
  if (has_time(shared.text)) is_time_read = true;
  read_text();
}

static void interm_write(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_unread; });
  if (update)
    write_text(std::to_string(number) + " at " + time_of_day());
  else
    write_text(std::to_string(number));
}

// The new versions know the new format only.
static void read_shared_v2() {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return shared.is_unread; });
  if (!has_time(shared.text)) {
    std::cout << "cannot read \"" << shared.text << '"' << std::endl;
    std::abort();
  }
  read_text();
}

static void write_shared_v2(long number) {
  std::unique_lock lock(shared.mutex);
  shared.changed.wait(lock, [] { return !shared.is_unread; });
  write_text(std::to_string(number) + " at " + time_of_day());
}

class Intermediate final : public moult::Update {
 public:
  Intermediate(std::string name, moult::AnyFunction function, moult::AnyFunction interm)
      : Update(std::move(name)), function_(std::move(function)), interm_(std::move(interm)) {}

  void preupdate_setup() override { moult::setup_force_quiescence(function_, patience()); }
  bool wait_alterability() override { return moult::wait_force_quiescence(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override { moult::redefine_any_function(function_, interm_); }
  void cleanup() override { moult::clean_force_quiescence(); }

 private:
  moult::AnyFunction function_;
  moult::AnyFunction interm_;
};

class Flag final : public moult::Update {
 public:
  Flag() : Update("flag") {}
  moult::Requirements check_requirements() override {
    const bool is_ready = moult::is_applied("interm_read") && moult::is_applied("interm_write");
    return is_ready ? moult::Requirements::met : moult::Requirements::not_yet;
  }
  bool wait_alterability() override { return true; }
  void apply() override { update = true; }
};

class Final final : public moult::Update {
 public:
  Final() : Update("final") { set_patience({.sleep_time = std::chrono::milliseconds(50), .max_postponements = {}}); }
  moult::Requirements check_requirements() override {
    return is_time_read ? moult::Requirements::met : moult::Requirements::not_yet;
  }
  // With the flag set, a call of an intermediate version does the same as a call of the new version.
  bool wait_alterability() override { return true; }
  void apply() override {
    moult::redefine_function(write_shared, write_shared_v2);
    moult::redefine_function(read_shared, read_shared_v2);
  }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("phases");
  manager.add_update(std::make_unique<Intermediate>("interm_read", read_shared, interm_read));
  manager.add_update(std::make_unique<Intermediate>("interm_write", write_shared, interm_write));
  manager.add_update(std::make_unique<Flag>());
  manager.add_update(std::make_unique<Final>());
}
