// Other brackets, when both workers are between two words.
#include <moult/moult.hpp>
#include <moult/static_points.hpp>

#include <iostream>

std::string opened(const std::string& worker);
std::string closed();

static std::string opened_v2(const std::string& worker) { return worker + " ("; }
static std::string closed_v2() { return ")"; }

class BracketUpdate final : public moult::Update {
 public:
  BracketUpdate() : Update("brackets") { set_patience({.max_tries = 60, .max_postponements = 0}); }  // a minute

  void preupdate_setup() override {
    moult::setup_wait_static_points({.names = {"between words"}, .threads = {}});  // for every moult::Thread
    std::cout << "both are awaited at their points" << std::endl;
  }
  bool wait_alterability() override { return moult::wait_static_points_reached(patience()); }
  void clean_failed_alterability() override { moult::clean_failed_static_points(); }

  void apply() override {
    moult::redefine_function(opened, opened_v2);
    moult::redefine_function(closed, closed_v2);
  }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<BracketUpdate>()); }
