// Replaces chat when the last call has returned, and sleeps until that very moment.
#include <moult/moult.hpp>

#include <iostream>

#include "visitors.hpp"

void chat(const std::string& name, Requests& requests);

static void chat_v2(const std::string& name, Requests& requests) {
  std::cout << "* " << name << " joins" << std::endl;
  while (std::optional<std::string> text = requests.next()) std::cout << name << " says " << *text << std::endl;
  std::cout << "* " << name << " parts" << std::endl;
}

class ChatUpdate final : public moult::Update {
 public:
  ChatUpdate() : Update("chat") { set_patience({.max_tries = 60, .max_postponements = 0}); }  // a minute

  void preupdate_setup() override {
    const moult::ReturnBarrier barrier({chat});
    std::cout << barrier.in_progress() << " calls will tell when they return" << std::endl;
  }

  bool wait_alterability() override { return moult::wait_return_of_function(chat, patience()); }

  void apply() override { moult::redefine_function(chat, chat_v2); }
};

MOULT_UPDATE { moult::threaded_manager("main").add_update(std::make_unique<ChatUpdate>()); }
