// Fields and methods that are refused, with the next step.
#include <memory>
#include <string>

#include "moult/class_additions.hpp"
#include "refusal.hpp"

namespace moult {
namespace subject {

using limits::expect_error;

struct Note : Updatable<Note> {
  int number = 5;
};
struct Plain {
  int number = 5;
};
struct Other {
  virtual ~Other() = default;
};
struct Second : Other, Note {};

template <class Class>
concept takes_fields = requires {
  add_field_to_class<Class, int>("count");
};
static_assert(takes_fields<Note>);
static_assert(!takes_fields<Plain>, "nobody would tell when a Plain dies");

TEST(AdditionLimits, AFieldOfAnotherTypeIsRefusedNamingBoth) {
  add_field_to_class<Note, int>("size");
  expect_error(ErrorCode::invalid_argument,
               {"the field size of moult::subject::Note is of type int (4 bytes), and not of type double (8 bytes)",
                "ask for it by its own type"},
               [] { field<Note, double>("size"); });
  expect_error(ErrorCode::invalid_argument, {"is of type int (4 bytes), and not of type long (8 bytes)"},
               [] { add_field_to_class<Note, long>("size"); });
  EXPECT_NO_THROW((field<Note, int>("size")));
}

TEST(AdditionLimits, ASecondFieldOfTheNameIsRefused) {
  add_field_to_class<Note, int>("place");
  expect_error(ErrorCode::invalid_argument,
               {"the field place of moult::subject::Note is there already; find it with moult::field"},
               [] { add_field_to_class<Note, int>("place"); });
}

TEST(AdditionLimits, AFieldThatNobodyAddedIsRefusedByName) {
  expect_error(ErrorCode::not_found, {"the field missing of moult::subject::Note is not there"},
               [] { field<Note, int>("missing"); });
}

TEST(AdditionLimits, ObjectsOutsideOfPoolsAreRefusedByTheirAddress) {
  Field<Note, int> count = add_field_to_class<Note, int>("count");
  Note on_stack;
  expect_error(ErrorCode::unsupported,
               {"the field count of moult::subject::Note: the object at 0x", "is in no pool", "make it with new"},
               [&] { count.of(on_stack); });
  EXPECT_EQ(count.find(on_stack), nullptr);
  auto other = std::unique_ptr<Note>(::new Note);  // NOLINT(modernize-make-unique): not by the class's own new
  expect_error(ErrorCode::unsupported, {"is in no pool"}, [&] { count.give(*other, 1); });
  ::delete other.release();
}

TEST(AdditionLimits, ABaseThatDoesNotBeginItsObjectIsRefused) {
  Field<Note, int> count = add_field_to_class<Note, int>("depth");
  auto second = std::make_unique<Second>();
  expect_error(ErrorCode::unsupported,
               {"no object of the pool of moult::subject::Note begins at 0x", "must be the first base"},
               [&] { count.of(*second); });
  expect_error(ErrorCode::unsupported, {"no object of the pool of moult::subject::Note begins at 0x"}, [&] {
    void* dead = nullptr;
    {
      auto note = std::make_unique<Note>();
      dead = note.get();
    }
    count.of(*static_cast<Note*>(dead));
  });
}

TEST(AdditionLimits, AnObjectThatWasGivenNoValueHasNone) {
  add_field_to_class<Note, int>("given", {.values = Values::given});
  auto note = std::make_unique<Note>();
  expect_error(ErrorCode::not_found,
               {"the field given of moult::subject::Note: the object at 0x", "has none; give it one"},
               [&] { field<Note, int>("given").of(*note); });
  field<Note, int>("given").give(*note, 3);
  expect_error(ErrorCode::invalid_argument, {"the object has a value already"},
               [&] { field<Note, int>("given").give(*note, 4); });
  EXPECT_EQ((field<Note, int>("given").of(*note)), 3);
}

struct Unmade {
  explicit Unmade(int wanted) : number(wanted) {}
  int number;
};

TEST(AdditionLimits, AValueThatNobodySaidHowToMakeIsRefused) {
  Field<Note, Unmade> unmade = add_field_to_class<Note, Unmade>("unmade");
  auto note = std::make_unique<Note>();
  expect_error(ErrorCode::invalid_argument, {"FieldOptions::initial", "Values::given"}, [&] { unmade.of(*note); });
}

TEST(AdditionLimits, AMethodOfAnotherSignatureIsRefusedWithThoseThatThereAre) {
  add_method_to_class("describe", [](const Note&, int) { return 1; });
  Note note;
  expect_error(ErrorCode::not_found,
               {"the method describe of moult::subject::Note, int (), is not there",
                "of that name there is moult::subject::Note's, int (int) const"},
               [&] { call_method<int()>(note, "describe"); });
  EXPECT_EQ((call_method<int(int) const>(note, "describe", 2)), 1);
}

}  // namespace subject
}  // namespace moult
