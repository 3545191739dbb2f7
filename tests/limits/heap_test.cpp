// Heap walks that are refused before they begin.
#include <memory>
#include <string>

#include "moult/heap_walker.hpp"
#include "refusal.hpp"

namespace subject {

using limits::apply;
using limits::expect_error;
using limits::expect_refused;
using moult::ErrorCode;
using moult::HeapTraversal;

struct Data {
  int number = 5;
};
Data* data = nullptr;

void walk_for_ghosts();

std::shared_ptr<moult::HeapWalker> walker() {
  auto made = std::make_shared<moult::HeapWalker>();
  made->on<Data>([](Data& found) { found.number = 6; });
  return made;
}

TEST(HeapLimits, AModuleThatIsNotLoadedIsRefusedWithThoseThatAre) {
  Data own;
  data = &own;
  expect_refused(
      apply(std::make_unique<moult::HeapTraversalUpdate>("walk", walker(), HeapTraversal{.modules = {"libabsent.so"}})),
      ErrorCode::not_found, {"libabsent.so: no such module is loaded; loaded are limits_heap_test", "libc.so.6"});
  EXPECT_EQ(own.number, 5);
  data = nullptr;
}

TEST(HeapLimits, AModuleWithoutDebugInformationIsRefused) {
  expect_refused(
      apply(std::make_unique<moult::HeapTraversalUpdate>("walk", walker(), HeapTraversal{.modules = {"[vdso]"}})),
      ErrorCode::not_found, {"[vdso] has no debug information, so that the types of its variables are not known"});
}

TEST(HeapLimits, AClassThatNoDebugInformationTellsOfIsRefused) {
  expect_error(ErrorCode::not_found, {"subject::Ghost: no debug information of the program defines this class"},
               walk_for_ghosts);
}

TEST(HeapLimits, AWalkerThatLooksForNothingIsRefused) {
  moult::HeapWalker nothing;
  expect_error(ErrorCode::invalid_argument, {"the walker looks for nothing; say on<T>(function)"},
               [&] { moult::traverse_heap(nothing); });
}

TEST(HeapLimits, AWalkWhileAFunctionOfItsListIsActiveIsRefused) {
  struct Here {
    [[gnu::noinline]] static void walk() {
      moult::traverse_heap(*walker(), {.quiescent = {moult::AnyFunction(&Here::walk)}});
      asm volatile("");
    }
  };
  expect_error(ErrorCode::still_active, {"walk", "is active in"}, &Here::walk);
}

}  // namespace subject
