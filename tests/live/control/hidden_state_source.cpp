#define GREETING "good day"
#include "hidden_state.hpp"

#include "moult/moult.hpp"

extern int last_number;                         // static in the program
std::string numbered(const std::string& text);  // hidden

static std::string greet_v2(const std::string& name) {
  Visitors::all().names.push_back(name);
  ++visits;
  ++Counted<int>::value;
  last_number += 10;
  return numbered(Greeting().to(name));
}

MOULT_UPDATE {
  moult::threaded_manager("main").add_update(std::make_unique<moult::SafeRedefineUpdate>(
      "greet", moult::function<std::string(const std::string&)>("greet"), greet_v2));
}
