// put and take replaced in three phases, none of which has to wait until no call is in progress.
#include <atomic>

#include "versions.hpp"

static std::atomic<bool> is_new_written = false;
static std::atomic<bool> is_new_taken = false;

// Intermediate versions: one that writes as the flag says, one that reads both.

static void put_between(int number) {
  mailbox.is_empty.acquire();
  mailbox.message = is_new_written ? new_message(number) : std::to_string(number);
  mailbox.is_full.release();
}

static void take_between() {
  mailbox.is_full.acquire();
  if (mailbox.message.find(':') == std::string::npos) {
    std::cout << "message " << mailbox.message << std::endl;
  } else {
    show_new(mailbox.message);
    is_new_taken = true;
  }
  mailbox.is_empty.release();
}

/// What the phases have in common: calls in progress go on, and each phase begins when the one before is over.
class Phase : public moult::Update {
 public:
  Phase(const std::string& name, std::string before) : Update(name), before_(std::move(before)) {
    set_patience({.max_tries = 60, .max_postponements = 0});  // a minute
  }
  moult::Requirements check_requirements() override {
    return before_.empty() || moult::is_applied(before_) ? moult::Requirements::met : moult::Requirements::never;
  }
  bool check_alterability() override { return true; }
  void preresume_setup() override { std::cout << "-- " << name() << " in force" << std::endl; }

 private:
  std::string before_;
};

/// Over when every call of the old versions has returned: nobody is left who does not know both formats.
class Intermediates final : public Phase {
 public:
  Intermediates() : Phase("intermediates", "") {}
  void apply() override {
    moult::redefine_function(put, put_between);
    moult::redefine_function(take, take_between);
  }
  bool check_over() override { return !moult::is_function_in_any_stack(put) && !moult::is_function_in_any_stack(take); }
};

/// Over when a message of the new format has come through: no old one is on its way any more.
class Flag final : public Phase {
 public:
  Flag() : Phase("flag", "intermediates") {}
  void apply() override { is_new_written = true; }
  bool check_over() override { return is_new_taken; }
};

class Finals final : public Phase {
 public:
  Finals() : Phase("finals", "flag") {}
  void apply() override {
    moult::redefine_function(put, put_v2);
    moult::redefine_function(take, take_v2);
  }
};

MOULT_UPDATE {
  moult::ThreadedManager& manager = moult::threaded_manager("main");
  manager.add_update(std::make_unique<Intermediates>());
  manager.add_update(std::make_unique<Flag>());
  manager.add_update(std::make_unique<Finals>());
}
