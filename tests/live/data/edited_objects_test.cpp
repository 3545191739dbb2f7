// Objects that an edit of the program's sources gives another layout: each has its values there, has its old ones when
// the edit is taken back, and stays as it was when a step fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "alterability/object_quiescence.hpp"
#include "base/fault.hpp"
#include "base/transaction.hpp"
#include "moult/data_access.hpp"
#include "moult/detail/edited_class.hpp"
#include "moult/log.hpp"
#include "moult/manager.hpp"
#include "recipes/edited_classes.hpp"
#include "threads/current_stop.hpp"

namespace moult::internal {
namespace subject {

/// Knows where it is, like a short string, and is counted.
class Text {
 public:
  explicit Text(std::string text) : text_(std::move(text)) { ++alive; }
  Text(Text&& other) noexcept : text_(std::move(other.text_)) { ++alive; }
  Text& operator=(Text&&) = delete;
  ~Text() { --alive; }
  /// Empty if the object was copied byte by byte.
  std::string text() const { return self_ == this ? text_ : ""; }

  static inline int alive = 0;

 private:
  const Text* self_ = this;
  std::string text_;
};

struct Item : Updatable<Item, 256> {
  explicit Item(int wanted) : number(wanted), text(std::to_string(wanted)), gone("gone") {}
  int number;
  Text text;
  Text gone;
};

enum class Failure { none, exception, out_of_memory, keeps_address };
Failure failure = Failure::none;

void fail_at(int number) {
  if (number != 150) return;
  if (failure == Failure::exception) throw std::runtime_error("an initialiser throws");
  if (failure == Failure::out_of_memory) throw std::bad_alloc();
}

/// As the edited source has Item. It has a name of its own here, since this is one program.
struct Appended : Updatable<Item, 256> {
  void begin_twice() { ::new (static_cast<void*>(&twice)) int(2 * number); }
  void begin_more() { ::new (static_cast<void*>(&more)) Text(text.text() + " and more"); }
  void begin_last() {
    fail_at(number);
    ::new (static_cast<void*>(&last)) Text("last");
  }
  int number;
  Text text;
  Text gone;
  int twice;
  Text more;
  Text last;

  bool is_right(int wanted) const {
    return number == wanted && text.text() == std::to_string(wanted) && gone.text() == "gone" && twice == 2 * wanted &&
           more.text() == std::to_string(wanted) + " and more" && last.text() == "last";
  }
  static constexpr const char* fields = "Item::twice,Item::more,Item::last";
  using Steps = detail::InPlace<Appended, detail::Added<&Appended::twice, &Appended::begin_twice>,
                                detail::Added<&Appended::more, &Appended::begin_more>,
                                detail::Added<&Appended::last, &Appended::begin_last>>;
};

struct Rearranged : Updatable<Item, 256> {
  void begin_first() {
    fail_at(static_cast<int>(number));
    ::new (static_cast<void*>(&first)) Text("first");
  }
  void begin_address() {
    const bool keeps = failure == Failure::keeps_address && number == 150.0;
    ::new (static_cast<void*>(&address)) const double*(keeps ? &number : nullptr);
  }
  double number;
  Text first;
  Text gone;
  Text text;
  const double* address;

  bool is_right(int wanted) const {
    return number == wanted && text.text() == std::to_string(wanted) && gone.text() == "gone" &&
           first.text() == "first" && address == nullptr;
  }
  static constexpr const char* fields = "Item::number,Item::gone,Item::text,Item::first,Item::address";
  using Steps =
      detail::Aside<Rearranged, sizeof(Item), detail::Retyped<&Rearranged::number, double, int, offsetof(Item, number)>,
                    detail::Moved<&Rearranged::gone, Text, offsetof(Item, gone)>,
                    detail::Moved<&Rearranged::text, Text, offsetof(Item, text)>,
                    detail::Added<&Rearranged::first, &Rearranged::begin_first>,
                    detail::Added<&Rearranged::address, &Rearranged::begin_address>>;
};

/// The way back would need what is gone.
struct Shortened : Updatable<Item, 256> {
  Text text;
  int number;

  bool is_right(int wanted) const { return number == wanted && text.text() == std::to_string(wanted); }
  static constexpr const char* fields = "Item::text,Item::number";
  using Steps = detail::Aside<Shortened, sizeof(Item), detail::Moved<&Shortened::text, Text, offsetof(Item, text)>,
                              detail::Moved<&Shortened::number, int, offsetof(Item, number)>,
                              detail::Removed<Text, offsetof(Item, gone)>>;
};

template <class Now>
const EditedClass& edited() {
  constexpr bool has_way_back = !std::is_same_v<Now, Shortened>;
  static const EditedClass entry{.name = "Item",
                                 .type = &typeid(Item),
                                 .pool = &typeid(Item),
                                 .program_layout = "old",
                                 .old_layout = "old",
                                 .layout = "new",
                                 .old_size = sizeof(Item),
                                 .size = sizeof(Now),
                                 .alignment = alignof(Now),
                                 .is_polymorphic = 0,
                                 .forward = Now::Steps::forward,
                                 .backward = has_way_back ? Now::Steps::backward : detail::ObjectSteps{},
                                 .no_way_back = has_way_back ? nullptr : "its field is gone",
                                 .fields = Now::fields};
  return entry;
}

class Edit final : public Update {
 public:
  explicit Edit(const EditedClass& edited) : Update("edit"), edited_(edited) {}

  void prepare() override {
    classes_ = EditedClasses::prepare({.name = name(), .build_id = {}, .classes = {&edited_}}, {}, {});
    quiescence_.emplace(ObjectQuiescence::of_pools(classes_.names(), {}));
  }
  bool wait_alterability() override { return quiescence_->wait(patience()); }
  bool check_alterability() override { return quiescence_->check(patience()); }
  void apply() override {
    classes_.commit(*current_stop(), *Transaction::current());
    if (fails_at_end) throw std::runtime_error("a later step fails");
  }

  static inline bool fails_at_end = false;

 private:
  const EditedClass& edited_;
  EditedClasses classes_;
  std::optional<ObjectQuiescence> quiescence_;
};

template <class Now>
class EditedObjects : public testing::Test {
 protected:
  static constexpr int count = 200;
  EditedObjects() {
    set_log_level(LogLevel::none);
    for (int i = 0; i < count; ++i) items_.push_back(std::make_unique<Item>(i));
    texts_ = Text::alive;
  }
  ~EditedObjects() override {
    failure = Failure::none;
    Edit::fails_at_end = false;
  }

  UpdateReport apply() {
    UpdateHandle handle = manager_.add_update(std::make_unique<Edit>(edited<Now>()));
    manager_.apply_next_update();
    return handle.report();
  }
  void expect_old() const {
    EXPECT_EQ(Text::alive, texts_);
    for (int i = 0; i < count; ++i) {
      const Item& item = *items_[static_cast<std::size_t>(i)];
      ASSERT_EQ(item.number, i);
      ASSERT_EQ(item.text.text(), std::to_string(i));
      ASSERT_EQ(item.gone.text(), "gone");
    }
  }
  void expect_new() const {
    for (int i = 0; i < count; ++i) {
      const void* const item = items_[static_cast<std::size_t>(i)].get();
      ASSERT_TRUE(static_cast<const Now*>(item)->is_right(i)) << i;
    }
  }
  void expect_failing_initialiser(Failure kind, const std::string& reason) {
    failure = kind;
    const UpdateReport report = apply();
    EXPECT_EQ(report.state, UpdateState::failed);
    EXPECT_THAT(report.reason, testing::HasSubstr(reason));
    expect_old();
  }
  /// The test's own code ends them as what they were.
  void take_back(const UpdateReport& report) {
    roll_back(report.id);
    expect_old();
  }

  std::vector<std::unique_ptr<Item>> items_;
  int texts_ = 0;
  Manager manager_{"edits"};
};

using Layouts = testing::Types<Appended, Rearranged>;
TYPED_TEST_SUITE(EditedObjects, Layouts);

TYPED_TEST(EditedObjects, HaveTheirValuesInTheNewLayoutAndInTheOldOneAfterwards) {
  for (int round = 0; round < 3; ++round) {
    const UpdateReport report = this->apply();
    ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
    EXPECT_THAT(report.changes,
                testing::Contains("200 objects of moult::internal::subject::Item given the new layout"));
    this->expect_new();
    this->take_back(report);
  }
}

TYPED_TEST(EditedObjects, StayAsTheyWereWhenALaterStepFails) {
  Edit::fails_at_end = true;
  EXPECT_EQ(this->apply().state, UpdateState::failed);
  this->expect_old();
  Edit::fails_at_end = false;
  const UpdateReport report = this->apply();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  this->expect_new();
  this->take_back(report);
}

bool is_of_objects(std::string_view point) {
  return point != "convert.eager.one" && (point.starts_with("convert.eager") || point.starts_with("classes.objects") ||
                                          point.starts_with("alterability.objects"));
}

TYPED_TEST(EditedObjects, StayAsTheyWereWhenAnyStepFails) {
  for (const FaultKind kind : {FaultKind::error, FaultKind::out_of_memory})
    for (const std::string_view point : fault_points()) {
      if (!is_of_objects(point)) continue;
      SCOPED_TRACE(std::string(point));
      UpdateReport report;
      bool is_back = false;
      {
        const ArmedFault armed(point, 1, kind);
        report = this->apply();
        try {
          if (report.state == UpdateState::applied) roll_back(report.id);
          is_back = true;
        } catch (const std::exception&) {
          this->expect_new();
        }
        EXPECT_TRUE(armed.fired());
        EXPECT_NE(is_back, report.state == UpdateState::applied) << report.reason;
      }
      if (!is_back) roll_back(report.id);
      this->expect_old();
    }
}

using AppendedObjects = EditedObjects<Appended>;
using RearrangedObjects = EditedObjects<Rearranged>;
using ShortenedObjects = EditedObjects<Shortened>;

TEST_F(AppendedObjects, StayAsTheyWereWhenAnInitialiserThrows) {
  expect_failing_initialiser(Failure::exception,
                             "Item::last: its initialiser threw std::runtime_error (an initialiser throws)");
  expect_failing_initialiser(Failure::out_of_memory, "Item::last: its initialiser had no memory");
}
TEST_F(RearrangedObjects, StayAsTheyWereWhenAnInitialiserThrows) {
  expect_failing_initialiser(Failure::exception,
                             "Item::first: its initialiser threw std::runtime_error (an initialiser throws)");
  expect_failing_initialiser(Failure::out_of_memory, "Item::first: its initialiser had no memory");
}
TEST_F(RearrangedObjects, StayAsTheyWereWhenAnInitialiserKeepsTheAddressOfTheObjectAside) {
  expect_failing_initialiser(Failure::keeps_address, "Item::address: its initialiser keeps the object's address");
}

TEST_F(ShortenedObjects, AreNotTakenBack) {
  Edit::fails_at_end = true;
  EXPECT_EQ(apply().state, UpdateState::failed);
  expect_old();
  Edit::fails_at_end = false;
  const UpdateReport report = apply();
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(Text::alive, texts_ - count);
  expect_new();
  EXPECT_THROW(roll_back(report.id), Error);
  expect_new();
  for (std::unique_ptr<Item>& each : items_) static_cast<void>(each.release());  // no code of this test ends them
}

}  // namespace subject
}  // namespace moult::internal
