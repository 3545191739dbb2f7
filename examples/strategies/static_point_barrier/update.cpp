// Other brackets, when both workers are between two words.
#include <moult/moult.hpp>

#include <iostream>

std::string opened(const std::string& worker);
std::string closed();

static std::string opened_v2(const std::string& worker) { return worker + " ("; }
static std::string closed_v2() { return ")"; }

class BracketUpdate final : public moult::StaticPointUpdate {
 public:
  BracketUpdate() : StaticPointUpdate("brackets", {"between words"}) {  // for every moult::Thread
    set_patience({.max_tries = 60, .max_postponements = 0});            // a minute
  }

  void preupdate_setup() override {
    StaticPointUpdate::preupdate_setup();
    std::cout << "both are awaited at their points" << std::endl;
  }

  void apply() override {
    moult::redefine_function(opened, opened_v2);
    moult::redefine_function(closed, closed_v2);
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<BracketUpdate>()); }
