// The program for updates that were built with the headers of an earlier version. They are compiled with this header,
// too: add to it, and change nothing.
#pragma once

#include <string>

#include "moult/data_update.hpp"

namespace app {

/// Converted in one stop, and redefined.
class Note : public moult::Updatable<Note, 96> {
 public:
  explicit Note(int number);
  ~Note();
  int number() const;
  std::string text() const;

 private:
  int number_;
};

/// Converted at first use, or in one stop where the system grants no userfaultfd.
class Card : public moult::Updatable<Card, 64> {
 public:
  int number = 1;
};

/// Gets a field, a method and a mixin.
class Person : public moult::Updatable<Person, 64> {
 public:
  std::string name = "Ada";
};

Note& note();
Card& card();
Person& person();

std::string greet(const std::string& name);

std::string plain_text(int number);
using Describe = std::string (*)(int);
extern Describe describe_by;

/// The moult::Threads "counter" and "worker" run these, and pass the static update points "turn" and "round".
int count_turns(int turns);
void work();

/// What updates leave for the test.
struct Seen {
  std::size_t walked_people = 0;
  std::size_t old_calls = 1;
  bool has_new_thread_run = false;
  bool has_new_main_run = false;
  bool may_end = false;
};
extern Seen seen;

}  // namespace app
