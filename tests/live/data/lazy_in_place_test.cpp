// Objects that may not be moved are converted at their addresses, at their first use.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/event.hpp"
#include "base/guarded.hpp"
#include "base/transaction.hpp"
#include "moult/lazy_update.hpp"
#include "moult/manager.hpp"
#include "notes.hpp"

namespace moult::internal {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

using namespace std::chrono_literals;

TEST_F(LazilyInPlace, AnObjectIsConvertedAtItsAddressAtItsFirstAccess) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  EXPECT_EQ(objects.progress().converted_objects, 0u);
  expect_two(0);
  EXPECT_GT(objects.progress().converted_objects, 0u);
  EXPECT_LT(objects.progress().converted_objects, notes.size());
  expect_all_two();
}

TEST_F(LazilyInPlace, ADrainConvertsObjectsThatWereNotAccessed) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two);
  objects.drain();
  EXPECT_TRUE(objects.progress().is_done);
  EXPECT_EQ(objects.progress().converted_objects, notes.size());
  expect_all_two();
}

TEST_F(LazilyInPlace, ABackgroundThreadConvertsUnusedObjects) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>(to_two, {}, Untouched::drained);
  while (!objects.progress().is_done) std::this_thread::yield();
  expect_all_two();
}

TEST_F(LazilyInPlace, ObjectsAreConvertedThereAndBackManyTimes) {
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

TEST_F(LazilyInPlace, AnObjectCanBeDeletedBeforeItsConversion) {
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

TEST_F(LazilyInPlace, AnObjectWhoseTransformerThrowsStaysAsItWasAndIsNamed) {
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

TEST_F(LazilyInPlace, ATransformerSeesOtherObjectsUnconvertedAndConvertsNone) {
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

TEST_F(LazilyInPlace, AWriteOfATransformerToAnotherObjectIsKept) {
  LazyObjects objects = start_lazy_update<Note, NoteTwo>([this](const Note& old) {
    if (old.number == 10) std::strcpy(notes.back()->text.data(), "written");
    return NoteTwo(old);
  });
  expect_two(10);
  EXPECT_STREQ(notes.back()->text.data(), "written");
  expect_all_two();
}

using Conversion = LazyConversionUpdate<Note, NoteTwo>;

UpdateReport apply(std::unique_ptr<Conversion> update, Manager& manager) {
  Patience patience = update->patience();
  patience.stop_timeout = 20s;
  update->set_patience(patience);
  const UpdateHandle handle = manager.add_update(std::move(update));
  manager.apply_next_update();
  return handle.report();
}

TEST_F(LazilyInPlace, AnUpdateIsRolledBackByTheInverseTransformer) {
  Manager manager("notes");
  auto update = std::make_unique<Conversion>("notes", to_two, ConversionOptions<Note, NoteTwo>{.inverse = to_one});
  Conversion& asked = *update;
  const UpdateReport report = apply(std::move(update), manager);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  expect_two(5);
  EXPECT_FALSE(asked.objects().progress().is_done);
  roll_back(report.id);
  expect_all_one();
}

TEST_F(LazilyInPlace, AnUpdateWithoutAnInverseTransformerIsNotRolledBack) {
  Manager manager("notes");
  const UpdateReport report = apply(std::make_unique<Conversion>("notes", to_two), manager);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  expect_two(5);
  EXPECT_THROW(roll_back(report.id), Error);
  expect_all_two();
}

TEST_F(LazilyInPlace, UndoInTheSameStopLeavesTheObjectsAsTheyWere) {
  in_stop([this](Transaction& transaction) {
    start_lazy_update<Note, NoteTwo>(to_two);
    expect_two(3);  // by the stopping thread
    EXPECT_TRUE(DataAccessor<Note>().empty());
    transaction.undo_all();
  });
  expect_all_one();
}

TEST_F(LazilyInPlace, ObjectsAccessedInTheStopAreConvertedThere) {
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

/// Objects that may be moved, and refer to some that may not.
struct Mark : Updatable<Mark, 32> {
  explicit Mark(const Note* wanted) : note(wanted) {}
  const Note* note;
};
struct MarkTwo {
  const Note* note;
  std::size_t number;
};

TEST_F(LazilyInPlace, ObjectsThatMayBeMovedCanReferToPendingOnesThatMayNot) {
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
        for (std::size_t i = number; i < marks.size(); i += 3) {
          ASSERT_EQ(marks[i]->note, notes[i].get());
          ASSERT_EQ(number_of(*marks[i]), i);
        }
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
}  // namespace moult::internal
