#include "program.hpp"

#include <chrono>
#include <thread>

#include "moult/static_points.hpp"

namespace app {

MOULT_UPDATABLE Note::Note(int number) : number_(number) {}
MOULT_UPDATABLE Note::~Note() { number_ = 0; }
MOULT_UPDATABLE int Note::number() const { return number_; }
MOULT_UPDATABLE std::string Note::text() const { return std::to_string(number_); }

Note& note() {
  static Note* const made = new Note(7);
  return *made;
}
Card& card() {
  static Card* const made = new Card;
  return *made;
}
Person& person() {
  static Person* const made = new Person;
  return *made;
}

MOULT_UPDATABLE std::string greet(const std::string& name) { return "Hello, " + name; }

MOULT_UPDATABLE std::string plain_text(int number) { return std::to_string(number); }
Describe describe_by = plain_text;

MOULT_UPDATABLE int count_turns(int turns) {
  int turn = 0;
  for (; turn < turns; ++turn) {
    moult::static_update_point("turn");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return turn;
}

MOULT_UPDATABLE void work() {
  for (;;) {
    moult::static_update_point("round");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Seen seen;

}  // namespace app
