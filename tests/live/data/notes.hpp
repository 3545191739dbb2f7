// Objects that may not be moved, linked in a ring, and the class that they are converted to.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/transaction.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "threads/stopped_world.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

inline std::atomic<int> broken{0};

inline std::string name_of(std::size_t number) {
  std::string name = std::to_string(number);
  return number % 2 == 0 ? name : name + " is too long a name to lie in the string itself";
}

struct NoteTwo;

/// Every field depends on the object's address.
struct Note : Updatable<Note, 160> {
  explicit Note(std::size_t wanted) : number(wanted), name(name_of(wanted)), self(this), next(this), previous(this) {
    places[static_cast<int>(wanted)] = this;
    owned = std::make_unique<std::size_t>(wanted);
    std::strcpy(text.data(), "old text");
  }
  explicit Note(const NoteTwo& now);
  Note(Note&& other) noexcept
      : number(other.number),
        name(std::move(other.name)),
        self(this),
        next(other.next),
        previous(other.previous),
        places(std::move(other.places)),
        owned(std::move(other.owned)),
        text(other.text) {}
  ~Note() {
    if (owned != nullptr && (self != this || name != name_of(number))) ++broken;  // unless it was moved from
    self = nullptr;
  }

  bool holds() const {
    return self == this && name == name_of(number) && *owned == number && next->previous == this &&
           previous->next == this && places.size() == 1 && places.at(static_cast<int>(number)) == this;
  }

  std::size_t number;
  std::string name;
  const void* self;
  Note* next;
  Note* previous;
  std::map<int, const void*> places;
  std::unique_ptr<std::size_t> owned;
  std::array<char, 32> text{};
};

struct NoteTwo {
  explicit NoteTwo(const Note& old)
      : number(old.number),
        name(old.name),
        self(this),
        next(old.next),
        previous(old.previous),
        places(old.places),
        owned(std::make_unique<std::size_t>(*old.owned)),
        text(old.text),
        more(std::to_string(old.number)),
        conversions(1) {
    if (old.self != &old || places.at(static_cast<int>(number)) != &old || old.name != name_of(number)) ++broken;
  }
  NoteTwo(NoteTwo&& other) noexcept
      : number(other.number),
        name(std::move(other.name)),
        self(this),
        next(other.next),
        previous(other.previous),
        places(std::move(other.places)),
        owned(std::move(other.owned)),
        text(other.text),
        more(std::move(other.more)),
        conversions(other.conversions) {}

  std::size_t number;
  std::string name;
  const void* self;
  Note* next;
  Note* previous;
  std::map<int, const void*> places;
  std::unique_ptr<std::size_t> owned;
  std::array<char, 32> text;
  std::string more;  // short: old code destroys it by doing nothing
  std::size_t conversions;
};

inline Note::Note(const NoteTwo& now)
    : number(now.number),
      name(now.name),
      self(this),
      next(now.next),
      previous(now.previous),
      places(now.places),
      owned(std::make_unique<std::size_t>(*now.owned)),
      text(now.text) {
  if (now.self != &now || now.conversions != 1) ++broken;
}

inline NoteTwo to_two(const Note& old) { return NoteTwo(old); }
inline Note to_one(const NoteTwo& now) { return Note(now); }
inline const NoteTwo& as_two(const Note& note) { return reinterpret_cast<const NoteTwo&>(note); }

class LazilyInPlace : public testing::Test {
 protected:
  LazilyInPlace() {
    set_log_level(LogLevel::none);
    broken = 0;
    for (std::size_t i = 0; i < 3000; ++i) add(i);
  }

  void add(std::size_t number) {
    notes.push_back(std::make_unique<Note>(number));
    Note& first = *notes.front();
    Note& fresh = *notes.back();
    fresh.next = &first;
    fresh.previous = first.previous;
    first.previous->next = &fresh;
    first.previous = &fresh;
  }

  void expect_two(std::size_t index) {
    const NoteTwo& now = as_two(*notes[index]);
    ASSERT_EQ(now.number, index);
    ASSERT_EQ(now.self, &now);
    ASSERT_EQ(now.more, std::to_string(index));
    ASSERT_EQ(now.conversions, 1u);
    ASSERT_TRUE(notes[index]->holds());
  }
  void expect_all_two() {
    for (std::size_t i = 0; i < notes.size(); ++i) expect_two(i);
  }
  void expect_all_one() {
    for (const std::unique_ptr<Note>& note : notes) ASSERT_TRUE(note->holds());
    EXPECT_EQ(DataAccessor<Note>().size(), notes.size());
  }
  /// Converts back in one stop, so that the objects are destroyed as the class that they were made as.
  void TearDown() override {
    start_eager_update<NoteTwo, Note>(to_one);
    expect_all_one();
    for (const std::unique_ptr<Note>& note : notes) note->next = note->previous = nullptr;
    notes.clear();
    EXPECT_EQ(broken, 0);
  }

  /// A stop held by the test, as an update holds one.
  template <class Act>
  void in_stop(Act&& act) {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(StoppedWorld::stop({.timeout = std::chrono::seconds(20), .keep_out = {}}));
    act(transaction);
    transaction.resume();
  }

  std::vector<std::unique_ptr<Note>> notes;
};

static_assert(!is_relocatable<Note> && !is_relocatable<NoteTwo>);

}  // namespace subject
}  // namespace moult::internal
