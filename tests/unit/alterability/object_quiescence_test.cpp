#include "alterability/object_quiescence.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/transaction.hpp"
#include "moult/data_access.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

std::atomic<bool> is_inside{false};
std::atomic<bool> may_leave{false};

MOULT_UPDATABLE void linger() {
  is_inside = true;
  while (!may_leave) std::this_thread::yield();
}
MOULT_UPDATABLE void linger_deeper() {
  linger();
  asm volatile("");
}

/// Its destructor's last action is a call, which optimisation turns into a jump.
struct Letter : Updatable<Letter> {
  MOULT_UPDATABLE ~Letter();
  int number = 1;
};
Letter::~Letter() { linger_deeper(); }

struct Card : Updatable<Card> {
  int number = 1;
};
MOULT_UPDATABLE void linger_and_delete(Card* card) {
  linger();
  delete card;
}

/// Its last call is a jump, with optimisation.
MOULT_UPDATABLE void jump_to_linger() { linger_deeper(); }

/// Its next callee is not bound by the loader before the first call, and nothing else here calls it.
MOULT_UPDATABLE void linger_before_a_first_call() {
  jump_to_linger();
  EXPECT_EQ(::tcgetpgrp(-1), -1);
}

/// True when objects of the class may be changed while a thread is inside `linger`, where `act` leads.
template <class Act>
bool may_change(const char* name, Act&& act) {
  is_inside = may_leave = false;
  std::jthread busy(act);
  while (!is_inside) std::this_thread::yield();
  const ObjectQuiescence quiescence({ClassName(name)});
  Transaction transaction;
  Transaction::Scope scope(transaction);
  bool may = quiescence.check({.max_tries = 1, .sleep_time = 1ms, .stop_timeout = 20s, .max_postponements = {}});
  transaction.resume();
  may_leave = true;
  return may;
}

TEST(ObjectQuiescence, AThreadInWhatADestructorHasJumpedToIsDeleting) {
  EXPECT_FALSE(may_change("moult::internal::subject::Letter", [] { delete new Letter; }));
}

TEST(ObjectQuiescence, AThreadInACallBeforeADeletionIsNotDeletingYet) {
  EXPECT_TRUE(may_change("moult::internal::subject::Card", [] { linger_and_delete(new Card); }));
}

TEST(ObjectQuiescence, AThreadWhoseNextCallWasNeverMadeBeforeIsNotDeletingForThat) {
  EXPECT_TRUE(may_change("moult::internal::subject::Card", [] { linger_before_a_first_call(); }));
}

}  // namespace subject
}  // namespace moult::internal
