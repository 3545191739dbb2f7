// The left worker updates itself: the code is everybody's, the greeting is its own.
#include <moult/moult.hpp>

#include <pthread.h>

#include <iostream>

const char*& greeting();
void say(const std::string& worker, const std::string& word);

static void say_v2(const std::string& worker, const std::string& word) {
  std::cout << worker << ": " << greeting() << " " << word << "!" << std::endl;
}

class SelfUpdate final : public moult::StaticPointUpdate {
 public:
  SelfUpdate() : StaticPointUpdate("say", {"between words"}, {moult::get_thread_by_name("left")}) {
    set_patience({.max_tries = 60, .max_postponements = 0});  // a minute
  }

  void preupdate_setup() override {
    StaticPointUpdate::preupdate_setup();
    std::cout << "left is awaited at its point" << std::endl;
  }

  /// Called by the left worker, where it stands.
  void apply() override {
    moult::redefine_function(say, say_v2);
    greeting() = "welcome";
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    std::cout << "applied by " << name << std::endl;
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<SelfUpdate>()); }
