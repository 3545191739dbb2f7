// Objects that may not be moved become objects of another class when they are first used, where they are.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/event.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "moult/lazy_update.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "threads/stopped_world.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

std::atomic<int> broken{0};

std::string name_of(std::size_t number) {
  std::string name = std::to_string(number);
  return number % 2 == 0 ? name : name + " is too long a name to lie in the string itself";
}

struct NoteTwo;

/// Everything of it depends on where it is.
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
    if (owned != nullptr && (self != this || name != name_of(number))) ++broken;  // not one that was moved from
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

Note::Note(const NoteTwo& now)
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

NoteTwo to_two(const Note& old) { return NoteTwo(old); }
Note to_one(const NoteTwo& now) { return Note(now); }
const NoteTwo& as_two(const Note& note) { return reinterpret_cast<const NoteTwo&>(note); }

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
  /// Back in one stop, so that the objects may be destroyed as what they were made as.
  void TearDown() override {
    start_eager_update<NoteTwo, Note>(to_one);
    expect_all_one();
    for (const std::unique_ptr<Note>& note : notes) note->next = note->previous = nullptr;
    notes.clear();
    EXPECT_EQ(broken, 0);
  }

  /// A stop that the test holds as an update does.
  template <class Act>
  void in_stop(Act&& act) {
    Transaction transaction;
    Transaction::Scope scope(transaction);
    transaction.hold(threads::StoppedWorld::stop({.timeout = 20s, .keep_out = {}}));
    act(transaction);
    transaction.resume();
  }

  std::vector<std::unique_ptr<Note>> notes;
};

static_assert(!is_relocatable<Note> && !is_relocatable<NoteTwo>);

TEST_F(LazilyInPlace, AnObjectIsConvertedAtItsAddressWhenItIsFirstTouched) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  EXPECT_EQ(objects.progress().converted_objects, 0u);
  expect_two(0);
  EXPECT_GT(objects.progress().converted_objects, 0u);
  EXPECT_LT(objects.progress().converted_objects, notes.size());
  expect_all_two();
}

TEST_F(LazilyInPlace, DrainedTheyAreConvertedWithoutBeingTouched) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  objects.drain();
  EXPECT_TRUE(objects.progress().is_done);
  EXPECT_EQ(objects.progress().converted_objects, notes.size());
  expect_all_two();
}

TEST_F(LazilyInPlace, ABackgroundThreadDrainsThem) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two, {}, Untouched::drained);
  while (!objects.progress().is_done) std::this_thread::yield();
  expect_all_two();
}

TEST_F(LazilyInPlace, ThereAndBackManyTimes) {
  for (int round = 0; round < 30; ++round) {
    LazyObjects there = start_lazy_update<Note, NoteTwo>(to_two);
    if (round % 3 == 0) expect_two(static_cast<std::size_t>(round));
    if (round % 2 == 0) there.drain();
    LazyObjects back = start_lazy_update<NoteTwo, Note>(to_one);
    EXPECT_EQ(there.progress().converted_objects, notes.size());
    ASSERT_EQ(notes[static_cast<std::size_t>(round)]->number, static_cast<std::size_t>(round));
    back.drain();
  }
  expect_all_one();
}

TEST_F(LazilyInPlace, AnObjectMayDieBeforeItIsConverted) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  for (std::size_t i = notes.size(); i > 2000; --i) {
    Note& last = *notes.back();
    last.next->previous = last.previous;
    last.previous->next = last.next;
    notes.pop_back();
  }
  objects.drain();
  EXPECT_EQ(objects.progress().converted_objects, 3000u);
  expect_all_two();
}

TEST_F(LazilyInPlace, WhatThrowsStaysWhatItWasAndIsNamed) {
  Guarded<std::vector<std::string>> told;
  std::unique_ptr<EventLog::Subscription> listening = event_log().subscribe([&](const Event& event) {
    if (event.kind != EventKind::warning) return;
    told.with([&](std::vector<std::string>& all) { all.push_back(event.text); });
    told.notify();
  });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>([](const Note& old) {
    if (old.number % 1000 == 33) throw std::runtime_error("not that one");
    return NoteTwo(old);
  });
  expect_two(32);
  expect_two(34);
  EXPECT_TRUE(notes[33]->holds());
  objects.drain();
  EXPECT_EQ(objects.progress().failed_objects, 3u);
  EXPECT_EQ(objects.progress().converted_objects, notes.size() - 3);
  told.wait_until(
      std::chrono::steady_clock::now() + 60s, [](const std::vector<std::string>& all) { return all.size() == 3; },
      [](const std::vector<std::string>& all, bool are_three) {
        ASSERT_TRUE(are_three) << all.size();
        EXPECT_NE(all[0].find("Note at 0x"), std::string::npos) << all[0];
        EXPECT_NE(all[0].find("not that one"), std::string::npos) << all[0];
      });
  DataAccessor<Note> left;
  ASSERT_EQ(left.size(), 3u);
  for (const Note& note : left) EXPECT_EQ(note.number % 1000, 33u);
}

TEST_F(LazilyInPlace, ATransformerSeesOtherObjectsAsTheyWereAndConvertsNoMore) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>([this](const Note& old) {
    const Note& other = *notes[notes.size() - 1 - old.number];
    if (other.self != &other || other.number != notes.size() - 1 - old.number) ++broken;
    if (old.next->previous != &old || old.previous->next != &old) ++broken;
    return NoteTwo(old);
  });
  expect_two(10);
  EXPECT_EQ(objects.progress().converted_chunks, 1u);
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
}

TEST_F(LazilyInPlace, WhatATransformerWritesToAnotherObjectIsKept) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>([this](const Note& old) {
    if (old.number == 10) std::strcpy(notes.back()->text.data(), "written");
    return NoteTwo(old);
  });
  expect_two(10);
  EXPECT_STREQ(notes.back()->text.data(), "written");
  expect_all_two();
}

TEST_F(LazilyInPlace, ASystemCallThatWritesIntoAnObjectIsServed) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
  ASSERT_EQ(::read(ends[0], notes[40]->text.data(), 6), 6);
  EXPECT_STREQ(notes[40]->text.data(), "fresh");
  ASSERT_EQ(::write(ends[1], notes.back()->text.data(), 9), 9);
  std::array<char, 9> got;
  ASSERT_EQ(::read(ends[0], got.data(), 9), 9);
  EXPECT_STREQ(got.data(), "old text");
  EXPECT_GE(objects.progress().converted_chunks, 2u);
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, ACallThatWaitedThroughTheUpdateIsServedWhenItGoesOn) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  char* const buffer = notes[1500]->text.data();
  std::jthread reader([&] { EXPECT_EQ(::read(ends[0], buffer, 6), 6); });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
  reader.join();
  EXPECT_STREQ(buffer, "fresh");
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, OneCallMayReachIntoManyChunks) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  std::vector<iovec> parts;
  for (std::size_t i = 0; i < notes.size(); i += 100) parts.push_back({notes[i]->text.data(), 9});
  const ssize_t size = static_cast<ssize_t>(9 * parts.size());
  ASSERT_EQ(::writev(ends[1], parts.data(), static_cast<int>(parts.size())), size);
  std::vector<char> got(static_cast<std::size_t>(size));
  ASSERT_EQ(::read(ends[0], got.data(), got.size()), size);
  for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_STREQ(got.data() + 9 * i, "old text");
  expect_all_two();
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, AThreadMayWaitInsideACallOfStdio) {
  std::FILE* file = std::tmpfile();
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::vector<std::jthread> writers;
  for (std::size_t number = 0; number < 3; ++number)
    writers.emplace_back([&, number] {
      for (std::size_t i = number; i < notes.size(); i += 3)
        if (i % 2 == 0)
          std::fprintf(file, "%s\n", notes[i]->text.data());
        else
          std::fputs(notes[i]->text.data(), file);
    });
  writers.clear();
  EXPECT_TRUE(objects.progress().is_done || objects.progress().converted_chunks > 5);
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  EXPECT_EQ(std::ftell(file), static_cast<long>(8 * notes.size() + notes.size() / 2));
  std::fclose(file);
  expect_all_two();
}

TEST_F(LazilyInPlace, AnotherStopComesAboutWhileThreadsWaitInsideStdio) {
  std::FILE* file = std::tmpfile();
  for (int round = 0; round < 5; ++round) {
    LazyObjects there = start_lazy_update<Note, NoteTwo>(to_two);
    std::jthread writer([&] {
      for (const std::unique_ptr<Note>& note : notes) std::fputs(note->text.data(), file);
    });
    for (int stop = 0; stop < 3; ++stop) EXPECT_NO_THROW(threads::StoppedWorld::stop({.timeout = 20s, .keep_out = {}}));
    writer.join();
    start_eager_update<NoteTwo, Note>(to_one);
    EXPECT_EQ(there.progress().failed_objects, 0u);
  }
  std::fclose(file);
}

TEST_F(LazilyInPlace, ThreadsThatAreNearlyAlwaysInTheAllocatorAreStopped) {
  std::vector<std::jthread> busy;
  for (int number = 0; number < 2; ++number)
    busy.emplace_back([](const std::stop_token& token) {
      while (!token.stop_requested())
        std::vector<std::string>(50, "a string that is too long for the object").resize(7);
    });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  expect_all_two();
  objects.drain();
  EXPECT_EQ(objects.progress().failed_objects, 0u);
}

TEST_F(LazilyInPlace, AThreadMayTouchOneWhileItInitialisesAStaticVariable) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  static const std::string name = notes[2000]->name;
  EXPECT_EQ(name, name_of(2000));
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_two(2000);
}

void do_nothing(int) {}

TEST_F(LazilyInPlace, SignalsOfTheProgramsOwnInterruptNothing) {
  struct sigaction handler {};
  handler.sa_handler = do_nothing;
  handler.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &handler, nullptr);
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pthread_t toucher = ::pthread_self();
  std::jthread disturber([toucher](const std::stop_token& token) {
    while (!token.stop_requested()) {
      ::pthread_kill(toucher, SIGUSR1);
      std::this_thread::sleep_for(50us);
    }
  });
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    if (i % 7 == 0) {
      ASSERT_EQ(::write(ends[1], "fresh", 6), 6);
      ASSERT_EQ(::read(ends[0], notes[notes.size() - 1 - i]->text.data(), 6), 6);
    }
    expect_two(i);
  }
  disturber = {};
  EXPECT_EQ(objects.progress().failed_objects, 0u);
  expect_all_two();
  ::signal(SIGUSR1, SIG_DFL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LazilyInPlace, AChildOfForkFindsAllConverted) {
  start_lazy_update<Note, NoteTwo>(to_two);
  pid_t child = ::fork();
  if (child == 0) {
    bool is_right = broken == 0;
    for (std::size_t i = 0; i < notes.size(); ++i)
      is_right = is_right && as_two(*notes[i]).more == std::to_string(i) && notes[i]->holds();
    ::_exit(is_right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  expect_all_two();
}

TEST_F(LazilyInPlace, AnUpdateIsTakenBackByTheInverse) {
  Manager manager("notes");
  auto update = std::make_unique<LazyConversionUpdate<Note, NoteTwo>>(
      "notes", to_two, ConversionOptions<Note, NoteTwo>{.inverse = to_one});
  LazyConversionUpdate<Note, NoteTwo>& asked = *update;
  UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  UpdateReport report = handle.report();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  expect_two(5);
  EXPECT_FALSE(asked.objects().progress().is_done);
  roll_back(report.id);
  expect_all_one();
}

TEST_F(LazilyInPlace, WithoutAnInverseAnUpdateIsNotTakenBack) {
  Manager manager("notes");
  UpdateHandle handle = manager.add_update(std::make_unique<LazyConversionUpdate<Note, NoteTwo>>("notes", to_two));
  manager.apply_next_update();
  expect_two(5);
  EXPECT_THROW(roll_back(handle.report().id), Error);
  expect_all_two();
}

TEST_F(LazilyInPlace, TakenBackInTheSameStopTheyAreWhatTheyWere) {
  in_stop([this](Transaction& transaction) {
    start_lazy_update<Note, NoteTwo>(to_two);
    expect_two(3);  // by the thread that holds the stop
    EXPECT_TRUE(DataAccessor<Note>().empty());
    transaction.undo_all();
  });
  expect_all_one();
}

TEST_F(LazilyInPlace, TouchedInTheStopTheyAreConvertedThere) {
  LazyObjects objects;
  in_stop([&](Transaction&) {
    objects = start_lazy_update<Note, NoteTwo>(to_two);
    expect_all_two();
  });
  objects.drain();
  EXPECT_TRUE(objects.progress().is_done);
  EXPECT_EQ(objects.progress().converted_objects, notes.size());
  expect_all_two();
}

TEST_F(LazilyInPlace, AnotherConversionOfTheClassFinishesTheFirst) {
  LazyObjects first = start_lazy_update<Note, NoteTwo>(to_two);
  expect_two(100);
  start_eager_update<NoteTwo, Note>(to_one);
  EXPECT_TRUE(first.progress().is_done);
  EXPECT_EQ(first.progress().converted_objects, notes.size());
  expect_all_one();
}

TEST_F(LazilyInPlace, WhereTheProgramCannotBeStoppedForLongTheyStayWhatTheyAre) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  std::atomic<bool> is_deaf{false};
  std::jthread deaf([&](const std::stop_token& token) {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    is_deaf = true;
    while (!token.stop_requested()) std::this_thread::sleep_for(1ms);
  });
  while (!is_deaf) std::this_thread::yield();
  EXPECT_TRUE(notes[7]->holds());
  EXPECT_GT(objects.progress().failed_objects, 0u);
  EXPECT_EQ(objects.progress().converted_objects, 0u);
  deaf = {};
  objects.drain();
  EXPECT_EQ(objects.progress().converted_objects + objects.progress().failed_objects, notes.size());
  EXPECT_EQ(DataAccessor<Note>().size(), objects.progress().failed_objects);
}

/// Objects that may be moved, and refer to some that may not.
struct Mark : Updatable<Mark, 32> {
  explicit Mark(const Note* wanted) : note(wanted) {}
  const Note* note;
};
struct MarkTwo {
  const Note* note;
  std::size_t number;
};

TEST_F(LazilyInPlace, BesideObjectsThatMayBeMovedAndReferToThem) {
  std::vector<std::unique_ptr<Mark>> marks;
  for (const std::unique_ptr<Note>& note : notes) marks.push_back(std::make_unique<Mark>(note.get()));
  const auto number_of = [](const Mark& mark) { return reinterpret_cast<const MarkTwo&>(mark).number; };
  for (bool marks_first : {true, false}) {
    LazyObjects converted_marks;
    const auto begin_marks = [&] {
      converted_marks = start_lazy_update<Mark, MarkTwo>([](const Mark& old) {
        return MarkTwo{old.note, old.note->number};
      });
    };
    if (marks_first) begin_marks();
    LazyObjects converted_notes = start_lazy_update<Note, NoteTwo>(to_two);
    if (!marks_first) begin_marks();
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < 3; ++number)
      threads.emplace_back([&, number] {
        for (std::size_t i = number; i < marks.size(); i += 3) ASSERT_EQ(number_of(*marks[i]), i);
        for (std::size_t i = number; i < marks.size(); i += 3) expect_two(i);
      });
    threads.clear();
    converted_marks.drain();
    converted_notes.drain();
    EXPECT_EQ(converted_marks.progress().failed_objects + converted_notes.progress().failed_objects, 0u);
    EXPECT_EQ(converted_marks.progress().converted_objects, marks.size());
    EXPECT_EQ(converted_notes.progress().converted_objects, notes.size());
    start_eager_update<NoteTwo, Note>(to_one);
    start_eager_update<MarkTwo, Mark>([](const MarkTwo& now) noexcept { return Mark(now.note); });
  }
}

}  // namespace subject
}  // namespace moult
