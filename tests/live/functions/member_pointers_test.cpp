// A pointer to a member function names one function, however the class inherits.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "moult/error.hpp"
#include "redefine.hpp"

namespace moult {
namespace subject {  // clang makes a MOULT_UPDATABLE function weak, which a local one cannot be

struct Left {
  virtual ~Left() = default;
  MOULT_UPDATABLE virtual int left(int x) { return x + 1; }
  MOULT_UPDATABLE virtual int both(int x) { return x + 2; }
  long a = 1;
};
struct Right {
  virtual ~Right() = default;
  MOULT_UPDATABLE virtual int right(int x) { return x + 3; }
  MOULT_UPDATABLE virtual int own(int x) { return x + 4; }
  MOULT_UPDATABLE int plain(int x) { return static_cast<int>(b) + x; }
  long b = 2;
};
struct Twofold : Left, Right {
  MOULT_UPDATABLE virtual int last(int x) { return x + 5; }
  MOULT_UPDATABLE int own(int x) override { return x + c; }
  int c = 6;
};
struct TwofoldV2 : Twofold {
  MOULT_UPDATABLE int replacement(int x) { return 1000 + x + c; }
};
struct Virtual : virtual Left {
  MOULT_UPDATABLE virtual int first(int x) { return x + 7; }
  MOULT_UPDATABLE virtual int second(int x) { return x + 8; }
  MOULT_UPDATABLE int both(int x) override { return x + 9; }
  long d = 3;
};
struct VirtualV2 : Virtual {
  MOULT_UPDATABLE int replacement(int x) { return 2000 + x + static_cast<int>(d); }
};

/// The compiler leaves out its vtable: no object is of this class.
struct Figure {
  virtual ~Figure() = default;
  virtual int sides() const = 0;
  MOULT_UPDATABLE virtual int corners(int x) const { return x + sides(); }
};
struct Triangle final : Figure {
  int sides() const override { return 3; }
};
struct FigureV2 {
  virtual ~FigureV2() = default;
  MOULT_UPDATABLE int corners(int x) const { return 3000 + x; }
};

using TwofoldMethod = int (Twofold::*)(int);

std::string twofold_calls() {
  static const std::unique_ptr<Twofold> object = std::make_unique<Twofold>();
  Right* right = object.get();
  return std::to_string(object->left(0)) + " " + std::to_string(object->both(0)) + " " +
         std::to_string(right->right(0)) + " " + std::to_string(right->own(0)) + " " + std::to_string(object->last(0)) +
         " " + std::to_string(object->plain(0));
}

std::string virtual_calls() {
  static const std::unique_ptr<Virtual> object = std::make_unique<Virtual>();
  Left* left = object.get();
  return std::to_string(object->first(0)) + " " + std::to_string(object->second(0)) + " " +
         std::to_string(left->both(0));
}

TEST(MemberPointers, AMethodOfAClassWithAVirtualBaseIsTheOneNamed) {
  EXPECT_EQ(virtual_calls(), "7 8 9");
  ASSERT_EQ(redefine(&Virtual::second, &VirtualV2::replacement).state, UpdateState::applied);
  EXPECT_EQ(virtual_calls(), "7 2003 9");
}

TEST(MemberPointers, AMethodOfAnAbstractClassIsFoundWithoutAVtable) {
  const std::unique_ptr<Figure> triangle = std::make_unique<Triangle>();
  EXPECT_EQ(triangle->corners(0), 3);
  UpdateReport report = redefine(&Figure::corners, &FigureV2::corners);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(triangle->corners(0), 3000);
}

TEST(MemberPointers, APureFunctionHasNoCodeToReplace) {
  try {
    static_cast<void>(AnyFunction(&Figure::sides));
    FAIL() << "a pure function was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(std::string(error.what()).find("is pure"), std::string::npos) << error.what();
  }
}

TEST(MemberPointers, AnOverriderOfAVirtualBaseIsFound) {
  EXPECT_EQ(virtual_calls(), "7 8 9");
  UpdateReport report = redefine(&Virtual::both, &VirtualV2::replacement);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(virtual_calls(), "7 8 2003");
}

TEST(MemberPointers, AnOverriderIsFoundThroughTheTableOfItsSecondBase) {
  EXPECT_EQ(twofold_calls(), "1 2 3 6 5 2");
  TwofoldMethod through_right = static_cast<int (Right::*)(int)>(&Right::own);
  UpdateReport report = redefine(through_right, &TwofoldV2::replacement);
  ASSERT_EQ(report.state, UpdateState::applied) << report.reason;
  EXPECT_EQ(twofold_calls(), "1 2 3 1006 5 2");
}

TEST(MemberPointers, AMethodThatASecondBaseDefinesIsRefusedByName) {
  EXPECT_EQ(twofold_calls(), "1 2 3 6 5 2");
  for (TwofoldMethod method : {TwofoldMethod(&Right::right), TwofoldMethod(&Right::plain)}) {
    try {
      redefine(method, &TwofoldV2::replacement);
      ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
      EXPECT_NE(std::string(error.what()).find("::Right::"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("16 bytes"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(twofold_calls(), "1 2 3 6 5 2");
}

TEST(MemberPointers, AMethodOfTheFirstBaseIsFoundThroughTheClass) {
  EXPECT_EQ(twofold_calls(), "1 2 3 6 5 2");
  ASSERT_EQ(redefine(TwofoldMethod(&Left::both), &TwofoldV2::replacement).state, UpdateState::applied);
  EXPECT_EQ(twofold_calls(), "1 1006 3 6 5 2");
}

}  // namespace subject
}  // namespace moult
