#include "note.hpp"

#include <atomic>
#include <thread>

#include "moult/static_points.hpp"

MOULT_UPDATABLE Note::Note(int number) : number_(number) {}
MOULT_UPDATABLE int Note::number() const { return number_; }
MOULT_UPDATABLE std::string Note::text() const { return std::to_string(number_); }

namespace app {
namespace {

class Signal final {
 public:
  void raise() {
    is_raised_ = true;
    is_raised_.notify_all();
  }
  void wait() const { is_raised_.wait(false); }
  explicit operator bool() const { return is_raised_; }

 private:
  std::atomic<bool> is_raised_{false};
};
Signal has_come;
Signal may_go;
Signal has_returned;
Signal may_end;

void pass_point() {
  moult::static_update_point("turn");
  std::this_thread::yield();
}

}  // namespace

Note& note() {
  static Note* const made = new Note(7);
  return *made;
}
Card& card() {
  static Card* const made = new Card;
  return *made;
}

MOULT_UPDATABLE std::string plain_text(const Note& note) { return note.text(); }
Describe describe_by = plain_text;
moult::AccessVisit visit;
std::optional<moult::Thread> thread;

MOULT_UPDATABLE std::string describe(const Note& note) { return describe_by(note); }

MOULT_UPDATABLE void work() {
  while (!may_go) pass_point();
}

MOULT_UPDATABLE int count_turns(int turns) {
  int turn = 0;
  for (; turn < turns && !may_go; ++turn) pass_point();
  return turn;
}

void stay() {
  has_come.raise();
  may_go.wait();
}
void wait_for_stay() { has_come.wait(); }
void let_go() { may_go.raise(); }

void stay_after_call() {
  has_returned.raise();
  may_end.wait();
}
void wait_for_end_of_call() { has_returned.wait(); }
void let_thread_end() { may_end.raise(); }

}  // namespace app
