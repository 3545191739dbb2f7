// New calls of chat are of the new version at once; the update is over when the last old one has returned.
#include <moult/moult.hpp>

#include <iostream>

#include "visitors.hpp"

void chat(const std::string& name, Requests& requests);

static void chat_v2(const std::string& name, Requests& requests) {
  std::cout << "* " << name << " joins" << std::endl;
  while (std::optional<std::string> text = requests.next()) std::cout << name << " says " << *text << std::endl;
  std::cout << "* " << name << " parts" << std::endl;
}

class DrainedUpdate final : public moult::Update {
 public:
  DrainedUpdate() : Update("chat") {
    set_patience({.max_tries = 60, .max_postponements = 0});
  }  // a minute for the last old call

  bool check_alterability() override { return true; }  // calls in progress go on in the old version

  void apply() override { moult::redefine_function(chat, chat_v2); }

  void preresume_setup() override { std::cout << "new visitors chat in the new version" << std::endl; }

  bool check_over() override { return !moult::is_function_in_any_stack(chat); }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<DrainedUpdate>()); }
