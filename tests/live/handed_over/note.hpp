// A program with a class that may grow, and the places where an update can hand code over.
#pragma once

#include <optional>
#include <string>

#include "moult/data_update.hpp"
#include "moult/progressive_access.hpp"
#include "moult/thread.hpp"

class Note : public moult::Updatable<Note, 96> {
 public:
  explicit Note(int number);
  int number() const;
  std::string text() const;

 private:
  int number_;
};

/// A class of its own: a conversion of notes ends visits of notes, and none of cards.
class Card : public moult::Updatable<Card, 32> {
 public:
  int number = 1;
};

namespace app {

/// A note and a card that live on.
Note& note();
Card& card();

/// By way of a pointer that an update may redirect.
std::string describe(const Note& note);
std::string plain_text(const Note& note);
using Describe = std::string (*)(const Note&);
extern Describe describe_by;

/// Kept for an update, so that the test has them as well.
extern moult::AccessVisit visit;
extern std::optional<moult::Thread> thread;

/// What the moult::Thread "worker" runs: it passes the static update point "turn" until the test ends it.
void work();
/// A call with a point in it, which an update may reboot.
int count_turns(int turns);

/// For code that runs in a thread: says that it has begun, and stays until the test lets it go.
void stay();
/// For the test.
void wait_for_stay();
void let_go();

/// For a thread that goes on after a rebooted call: says that the call has returned, and stays.
void stay_after_call();
void wait_for_end_of_call();
void let_thread_end();

}  // namespace app
